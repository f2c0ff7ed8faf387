//! *Why does this user show this?* What is told of one user, and what Teams says when it is asked.

use presence_portal::ids::{AccountId, EntraUserId, TenantId};
use presence_portal::sandbox::{Pair, Sandbox, System, Trouble, World};

use crate::support::{Browser, Stage, id};

/// Ada, whom the sandbox's Teams knows.
struct Ada {
    stage: Stage,
    sandbox: Sandbox,
    ann: Browser,
    account: AccountId,
    tenant: TenantId,
    entra: EntraUserId,
    at: String,
}

impl Ada {
    async fn known() -> Self {
        let (stage, sandbox) = Stage::with_sandbox(World::small()).await;
        let customer = sandbox.world().customers[0].clone();
        let entra = customer.people[0].id;
        let (ann, account) = (stage.ann().await, stage.synced_account("Acme").await);
        stage.connect(account, &customer).await;
        let made_up = stage.person(account, "Ada Byron").await;
        sqlx::query("UPDATE cloudlink_users SET entra_id = $1 WHERE entra_id = $2")
            .bind(entra)
            .bind(made_up)
            .execute(&stage.db)
            .await
            .unwrap();
        let at = format!("/accounts/{account}/presence/users/{}", id("Ada Byron"));
        Self { stage, sandbox, ann, account, tenant: customer.tenant, entra, at }
    }

    async fn is_on_the_telephone(&self) {
        self.stage.said(self.account, "Ada Byron", "onCall", Some("in-a-call")).await;
    }
}

#[tokio::test]
async fn why_a_user_shows_this_is_told_from_the_event_to_teams() {
    let ada = Ada::known().await;
    let page = ada.ann.visit(&ada.at).await;
    assert!(page.says("No event yet"));
    assert!(page.says("decided by Teams alone"), "{}", page.source);

    ada.is_on_the_telephone().await;
    let page = ada.ann.visit(&ada.at).await;
    for told in [
        "CloudLink said onCall",
        "onCall means In a call",
        "Decision: show In a call",
        "Microsoft answered 200",
        "setPresence: Busy / InACall",
        "answered after 87 ms",
        "req-1",
        "appear offline",
        "Read back from Teams",
    ] {
        assert!(page.says(told), "{told}\n{}", page.source);
    }
    assert!(ada.ann.part(&format!("{}/teams", ada.at)).await.says("Teams shows"));

    ada.sandbox.stop().await;
    let page = ada.ann.visit(&ada.at).await;
    assert!(page.says("We could not ask Teams"), "{}", page.source);
    assert!(page.says("CloudLink said onCall"), "what we know ourselves is still told");
}

#[tokio::test]
async fn the_verdict_names_what_the_user_chose_by_hand() {
    let ada = Ada::known().await;
    ada.is_on_the_telephone().await;
    let pair = |word: &str| Pair { availability: word.to_owned(), activity: word.to_owned() };
    ada.sandbox.teams_client(ada.tenant, ada.entra, Some(pair("Available"))).unwrap();
    ada.sandbox.prefer(ada.tenant, ada.entra, Some(pair("DoNotDisturb"))).unwrap();
    let page = ada.ann.visit(&ada.at).await;
    assert!(
        page.says("Teams shows Do not disturb because the user chose it by hand; ours is Busy and ranks lower."),
        "{}",
        page.source
    );
}

#[tokio::test]
async fn a_browser_with_scripts_gets_the_page_at_once_and_asks_teams_from_there() {
    let mut ada = Ada::known().await;
    ada.is_on_the_telephone().await;
    ada.ann.keep("zone", "Europe/Berlin");
    ada.sandbox.trouble(System::Graph, Trouble::Hang);
    let page = ada.ann.visit(&ada.at).await;
    assert!(page.says("Asking Teams…") && page.says("CloudLink said onCall"), "{}", page.source);
    let region = page.all("#readback")[0];
    let trigger = region.attr("data-hx-trigger").unwrap();
    assert!(trigger.starts_with("load, ") && trigger.ends_with("every 15s"), "{trigger}");
    assert!(page.source.contains(">Ask Teams</a></p></noscript>"), "scripts may be off since");

    ada.sandbox.mend(System::Graph);
    let part = ada.ann.part(region.attr("data-hx-get").unwrap()).await;
    assert!(part.says("Teams shows") && part.says("Read back from Teams"), "{}", part.source);
    assert!(part.all("h1").is_empty(), "htmx gets the answer alone");
    assert_eq!(part.all("#readback")[0].attr("data-hx-trigger"), Some("every 15s"));
}

#[tokio::test]
async fn without_scripts_the_page_waits_a_moment_for_teams_and_offers_to_ask_again() {
    let ada = Ada::known().await;
    ada.is_on_the_telephone().await;
    ada.sandbox.trouble(System::Graph, Trouble::Hang);
    let page = ada.ann.visit(&ada.at).await;
    assert!(page.says("Microsoft has not answered yet"), "{}", page.source);
    assert!(page.says("CloudLink said onCall"), "what we know ourselves is told");

    ada.sandbox.mend(System::Graph);
    let page = ada.ann.visit(&page.link("Ask again")).await;
    assert!(page.says("Teams shows") && page.says("CloudLink said onCall"), "{}", page.source);
}
