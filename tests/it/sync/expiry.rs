//! When a secret ends, as the running worker reads it.

use chrono::TimeDelta;
use presence_portal::sandbox::{Permission, System, World};

use super::Office;
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_secret_is_read_from_entra_where_that_may_be_read() {
    let office = Office::open(World::small()).await;
    let tenant = office.tenant(0);
    let applications = |office: &Office| {
        let seen = office.sandbox.requests_to(System::Graph);
        seen.iter().filter(|seen| seen.path.starts_with("/v1.0/applications")).count()
    };
    office.pass_and_look(TimeDelta::minutes(55));
    office.phone_is("Ann Miller", "onCall");
    office.holds("Ann Miller", Some("InACall")).await;
    let signed_in = || office.sandbox.requests_to(System::Login).len() >= 2;
    until("the token is renewed", signed_in).await;
    office.at_rest().await;
    assert_eq!(applications(&office), 0, "the token says that it would be refused");

    office.sandbox.grant(tenant, Permission::ReadApplications).unwrap();
    office.pass_and_look(TimeDelta::hours(7));
    office.until("SELECT expiry_source = 'entra' FROM connections WHERE account_id = $1", 0).await;
    let ends_on: chrono::NaiveDate =
        sqlx::query_scalar("SELECT secret_expires_on FROM connections")
            .fetch_one(&office.stage.db)
            .await
            .unwrap();
    assert_eq!(ends_on, office.sandbox.secrets(tenant)[0].until.date_naive());
}
