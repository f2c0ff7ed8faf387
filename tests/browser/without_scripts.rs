//! The same road with scripts switched off, up to the switch.

use crate::presence::{add_account, set_up};
use crate::support::{Portal, Visitor};

#[tokio::test(flavor = "multi_thread")]
async fn everything_up_to_the_switch_works_without_scripts() {
    let portal = Portal::start().await;
    let visitor = Visitor::without_scripts_at(&portal.url).await;
    let customer = portal.customer();
    portal.sign_in(&visitor).await;
    add_account(&visitor, &customer).await;
    set_up(&visitor, &customer, customer.app.secret.value.reveal()).await;
    visitor.press("Available features").await;
    visitor.flip("Sync presence from CloudLink to MS Teams").await;
    portal.feed_is_alive(&customer).await;
    visitor.visit(&portal.account_path(&customer.name, "/integrations").await).await;
    visitor.press("Available features").await;
    assert!(visitor.switch_is_on("Sync presence from CloudLink to MS Teams").await);
}
