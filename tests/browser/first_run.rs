//! From an empty database to somebody signed in.

use crate::support::{Portal, Visitor};

#[tokio::test(flavor = "multi_thread")]
async fn the_set_up_code_makes_the_first_partner_admin_who_can_come_back() {
    let portal = Portal::start().await;
    let visitor = Visitor::at(&portal.url).await;

    visitor.visit("/").await;
    assert_eq!(visitor.path().await, "/welcome");
    visitor.fill("Set-up code", &portal.setup_code()).await;
    visitor.fill("Your name", "Ann Archer").await;
    visitor.fill("Email", "ann@partner.example").await;
    visitor.fill("Password", "a long walk by the river").await;
    visitor.press("Begin").await;
    visitor.sees("No accounts yet").await;

    visitor.press("Sign out").await;
    visitor.sees("Forgot your password?").await;
    visitor.visit("/accounts").await;
    assert_eq!(visitor.path().await, "/sign-in");
    visitor.fill("Email", "ann@partner.example").await;
    visitor.fill("Password", "a long walk by the hill").await;
    visitor.press("Sign in").await;
    visitor.sees("Wrong e-mail address or password").await;
    visitor.fill("Password", "a long walk by the river").await;
    visitor.press("Sign in").await;
    visitor.sees("Add account").await;
    assert_eq!(visitor.path().await, "/accounts");
}
