//! The same client against a whole Microsoft 365, though a pretend one.

use chrono::TimeDelta;
use presence_portal::microsoft::{Cause, Credential, Next, Permission, Shows, User};
use presence_portal::sandbox::{self, Customer, Sandbox, Standing, System, Trouble, World};

use super::*;

struct Stage {
    sandbox: Sandbox,
    microsoft: Microsoft,
    connection: Connection,
    customer: Customer,
    clock: Clock,
}

async fn stage(world: World) -> Stage {
    let clock = Clock::stopped_at(opening());
    let customer = world.customers[0].clone();
    let sandbox = Sandbox::start(world, clock.clone()).await.unwrap();
    let settings = sandbox.microsoft_settings(50);
    let connection = Connection {
        tenant: customer.tenant,
        client: customer.app.client,
        credential: Credential::Secret(customer.app.secret.value.clone()),
        ..connection()
    };
    let microsoft = Microsoft::new(http_client().unwrap(), &settings, clock.clone());
    Stage { sandbox, microsoft, connection, customer, clock }
}

impl Stage {
    fn id(&self, name: &str) -> EntraUserId {
        self.customer.person(name).unwrap().id
    }

    async fn set(&self, name: &str, shows: Shows) -> Result<(), Cause> {
        let answered = self.microsoft.set_presence(&self.connection, self.id(name), shows).await;
        answered.outcome.map_err(|refusal| refusal.cause)
    }

    async fn sign_in(&self) -> Result<Vec<Permission>, Cause> {
        let signed_in = self.microsoft.sign_in(&self.connection).await;
        signed_in.map(|token| token.missing()).map_err(|refusal| refusal.cause)
    }

    /// The whole directory, and where its next changes begin.
    async fn everybody(&self) -> (Vec<User>, String) {
        let (mut users, mut link) = (Vec::new(), None);
        loop {
            let changes =
                self.microsoft.user_changes(&self.connection, link.as_deref()).await.unwrap();
            users.extend(changes.users);
            match changes.next {
                Next::Page(next) => link = Some(next),
                Next::Done(delta) => return (users, delta),
            }
        }
    }

    fn tile(&self, name: &str) -> String {
        self.sandbox.tile(self.customer.tenant, self.id(name)).unwrap().words
    }
}

#[tokio::test]
async fn teams_shows_what_is_set_until_it_is_cleared() {
    let stage = stage(World::small()).await;
    for (shows, words) in [
        (Shows::InACall, "Busy – In a call"),
        (Shows::InAConferenceCall, "Busy – In a conference call"),
        (Shows::Presenting, "Do not disturb – Presenting"),
        (Shows::Away, "Away"),
        (Shows::Available, "Available"),
    ] {
        stage.set("Ann Miller", shows).await.unwrap();
        assert_eq!(stage.tile("Ann Miller"), words);
    }
    let (ann, bob) = (stage.id("Ann Miller"), stage.id("Bob Stone"));
    let shown = stage.microsoft.presences(&stage.connection, &[ann, bob]).await.unwrap();
    assert_eq!((shown.len(), shown[0].availability.as_str()), (2, "Available"));
    for _ in 0..2 {
        let cleared = stage.microsoft.clear_presence(&stage.connection, ann).await;
        assert!(cleared.request_id.is_some());
        cleared.outcome.unwrap();
        assert_eq!(stage.tile("Ann Miller"), "Offline");
    }
    let stranger = stage.microsoft.set_presence(&stage.connection, user(), Shows::Away).await;
    assert!(stranger.outcome.unwrap_err().cause.concerns_one_user());
}

#[tokio::test]
async fn what_an_administrator_does_to_the_application_is_named() {
    let stage = stage(World::small()).await;
    let tenant = stage.customer.tenant;
    assert_eq!(stage.sign_in().await, Ok(Vec::new()));
    for (standing, cause) in [
        (Standing::Disabled, Cause::ApplicationDisabled),
        (Standing::WithoutConsent, Cause::ApplicationUnknown),
        (Standing::Deleted, Cause::ApplicationUnknown),
    ] {
        stage.sandbox.app_is(tenant, standing).unwrap();
        assert_eq!(stage.sign_in().await, Err(cause));
    }
    stage.sandbox.app_is(tenant, Standing::Good).unwrap();
    stage.sandbox.expire_secrets(tenant).unwrap();
    assert_eq!(stage.sign_in().await, Err(Cause::SecretExpired));
    stage.sandbox.replace_secrets(tenant).unwrap();
    assert_eq!(stage.sign_in().await, Err(Cause::SecretWrong));
}

#[tokio::test]
async fn what_was_typed_wrongly_is_named() {
    let mut stage = stage(World::small()).await;
    let right = stage.connection.clone();
    let pasted = Secret::new(stage.customer.app.secret.id.to_string());
    stage.connection.credential = Credential::Secret(pasted);
    assert_eq!(stage.sign_in().await, Err(Cause::SecretIdPasted));
    stage.connection = Connection { client: CLIENT.parse().unwrap(), ..right.clone() };
    assert_eq!(stage.sign_in().await, Err(Cause::ApplicationUnknown));
    stage.connection = Connection { tenant: TENANT.parse().unwrap(), ..right };
    assert_eq!(stage.sign_in().await, Err(Cause::TenantUnknown));
}

#[tokio::test]
async fn a_permission_that_is_not_granted_is_seen_in_the_token_and_in_the_answer() {
    for (permission, ours) in [
        (sandbox::Permission::ReadUsers, Permission::UserReadAll),
        (sandbox::Permission::ReadWritePresence, Permission::PresenceReadWriteAll),
    ] {
        let stage = stage(World::small()).await;
        stage.sandbox.revoke(stage.customer.tenant, permission).unwrap();
        assert_eq!(stage.sign_in().await, Ok(vec![ours]));
        let read = stage.microsoft.first_users(&stage.connection, 5).await.map(|_| ());
        let outcomes = [read.map_err(|it| it.cause), stage.set("Ann Miller", Shows::Away).await];
        assert!(outcomes.contains(&Err(Cause::PermissionMissing(ours))), "{outcomes:?}");
        assert!(outcomes.contains(&Ok(())), "{outcomes:?}");

        stage.sandbox.grant(stage.customer.tenant, permission).unwrap();
        stage.clock.advance(TimeDelta::minutes(6));
        stage.microsoft.first_users(&stage.connection, 5).await.unwrap();
        stage.set("Ann Miller", Shows::Away).await.unwrap();
    }
}

#[tokio::test]
async fn tokens_that_were_revoked_are_replaced_without_anybody_noticing() {
    let stage = stage(World::small()).await;
    stage.set("Ann Miller", Shows::InACall).await.unwrap();
    stage.sandbox.revoke_tokens(stage.customer.tenant).unwrap();
    stage.set("Ann Miller", Shows::InACall).await.unwrap();
    assert_eq!(stage.sandbox.requests_to(System::Login).len(), 2);
}

#[tokio::test]
async fn a_directory_of_many_pages_is_read_and_then_only_its_changes() {
    let customer = Customer::named("Acme").of_size(450);
    let stage = stage(World::empty().with(customer)).await;
    let tenant = stage.customer.tenant;
    stage.sandbox.manners(tenant, |manners| manners.awkward_delta = true).unwrap();
    let (users, delta) = stage.everybody().await;
    let mut ids: Vec<_> = users.iter().map(|user| user.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), stage.customer.people.len());

    let changed = &stage.customer.people[7];
    stage.sandbox.change_person(tenant, changed.id, |person| person.enabled = false).unwrap();
    let mut seen = Vec::new();
    let mut link = delta.clone();
    loop {
        let page = stage.microsoft.user_changes(&stage.connection, Some(&link)).await.unwrap();
        seen.extend(page.users);
        match page.next {
            Next::Page(next) => link = next,
            Next::Done(_) => break,
        }
    }
    assert!(!seen.is_empty() && seen.iter().all(|it| it.id == changed.id), "{seen:?}");
    assert_eq!((seen[0].enabled, &seen[0].display_name), (Some(false), &None));

    stage.clock.advance(TimeDelta::days(8));
    let expired = stage.microsoft.user_changes(&stage.connection, Some(&delta)).await.unwrap_err();
    assert_eq!((expired.cause, expired.status), (Cause::StartOver, Some(400)));
    let (_, delta) = stage.everybody().await;
    stage.sandbox.reset_delta(tenant).unwrap();
    let reset = stage.microsoft.user_changes(&stage.connection, Some(&delta)).await.unwrap_err();
    assert_eq!((reset.cause, reset.status), (Cause::StartOver, Some(410)));
}

#[tokio::test]
async fn somebody_is_found_by_any_address() {
    let stage = stage(World::small()).await;
    let mut ann = stage.customer.person("Ann Miller").unwrap().clone();
    ann.aliases = vec!["a.o'miller@brightwater-dental.example".to_owned()];
    let (aliases, tenant) = (ann.aliases.clone(), stage.customer.tenant);
    stage.sandbox.change_person(tenant, ann.id, |person| person.aliases = aliases).unwrap();
    for address in [ann.user_principal_name.to_uppercase(), ann.aliases[0].clone()] {
        let found = stage.microsoft.users_by_address(&stage.connection, &address).await.unwrap();
        assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), [ann.id], "{address}");
    }
    let nobody = stage.microsoft.users_by_address(&stage.connection, "x@y.example").await;
    assert!(nobody.unwrap().is_empty());
}

#[tokio::test]
async fn trouble_on_the_way_is_named_and_passes() {
    let stage = stage(World::small()).await;
    stage.set("Ann Miller", Shows::Away).await.unwrap();
    for (trouble, cause) in [
        (Trouble::Away, Cause::Unreachable),
        (Trouble::LoseAnswer, Cause::Unreachable),
        (Trouble::status(500), Cause::Trouble),
        (Trouble::Html { status: 503 }, Cause::Trouble),
        (Trouble::Status { status: 429, retry_after: Some(9) }, Cause::Throttled),
    ] {
        stage.sandbox.trouble(System::Graph, trouble.clone());
        let refused = stage.set("Ann Miller", Shows::Away).await;
        assert_eq!(refused, Err(cause), "{trouble:?}");
        assert!(!cause.needs_person());
        stage.sandbox.mend(System::Graph);
        stage.set("Ann Miller", Shows::Away).await.unwrap();
    }
    for (trouble, cause) in [
        (Trouble::Html { status: 200 }, Cause::Garbled),
        (Trouble::HalfJson, Cause::Garbled),
        (Trouble::Truncated, Cause::Unreachable),
    ] {
        stage.sandbox.trouble(System::Graph, trouble.clone());
        let refusal = stage.microsoft.first_users(&stage.connection, 5).await.unwrap_err();
        assert_eq!(refusal.cause, cause, "{trouble:?}");
        stage.sandbox.mend(System::Graph);
    }
}
