//! The switches of one customer: credentials, sign-in, Graph, CloudLink and the directory.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use chrono::{DateTime, Utc};

use super::{Chrome, customer_of};
use crate::ids::{ClientId, CloudlinkAccountId, TenantId};
use crate::sandbox::microsoft::apps::{KeptSecret, Standing};
use crate::sandbox::microsoft::assertion::KeptCertificate;
use crate::sandbox::world::{Permission, Person};
use crate::sandbox::{Controls, Subscription, Tally, TenantManners};
use crate::web::{self, OrNotFound, Page, Path};

pub(super) fn routes() -> Router<Controls> {
    Router::new().route("/customers/{tenant}/switches", get(show))
}

#[derive(Template)]
#[template(path = "sandbox/switches.html")]
struct SwitchesPage {
    chrome: Chrome,
    tenant: TenantId,
    account: CloudlinkAccountId,
    client: ClientId,
    secrets: Vec<KeptSecret>,
    certificates: Vec<KeptCertificate>,
    permissions: Vec<(Permission, bool)>,
    standing: Standing,
    manners: TenantManners,
    throttled_until: Option<DateTime<Utc>>,
    tally: Tally,
    subscriptions: Vec<Subscription>,
    refused: bool,
    removed: Vec<Person>,
    now: DateTime<Utc>,
}

const STANDINGS: [(Standing, &str, &str); 4] = [
    (Standing::Good, "good", "In order"),
    (Standing::Disabled, "disabled", "Disabled"),
    (Standing::WithoutConsent, "without-consent", "Without consent"),
    (Standing::Deleted, "deleted", "Deleted"),
];

async fn show(
    State(controls): State<Controls>,
    Path(tenant): Path<TenantId>,
) -> web::Result<Page<SwitchesPage>> {
    let customer = customer_of(&controls, tenant)?;
    let granted = |permission| controls.is_granted(tenant, permission);
    Ok(Page(SwitchesPage {
        chrome: Chrome::new(&controls, &customer.name, Some(tenant)),
        tenant,
        account: customer.account.clone(),
        client: customer.app.client,
        secrets: controls.secrets(tenant),
        certificates: controls.certificates(tenant),
        permissions: Permission::ALL.map(|one| (one, granted(one))).into(),
        standing: controls.app_standing(tenant).or_not_found()?,
        manners: controls.manners_of(tenant).or_not_found()?,
        throttled_until: controls.throttled_until(tenant),
        tally: controls.tally(tenant),
        subscriptions: controls.subscriptions(&customer.account),
        refused: controls.refuses(&customer.account),
        removed: controls.removed_people(tenant),
        now: controls.now(),
    }))
}
