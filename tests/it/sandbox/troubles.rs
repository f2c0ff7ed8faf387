//! Trouble: what a client meets when a system is not well.

use std::time::Duration;

use presence_portal::sandbox::{Customer, System, Trouble, World};
use tokio::time::timeout;

use super::{PATIENCE, Stage, until};

impl Stage {
    /// A request whose answer may not come, or not whole.
    async fn try_users(&self, token: &str) -> Result<(u16, String), reqwest::Error> {
        let url = self.url("/graph/v1.0/users");
        let response = self.http.get(url).bearer_auth(token).send().await?;
        let status = response.status().as_u16();
        Ok((status, response.text().await?))
    }
}

#[tokio::test]
async fn a_system_that_is_away_resets_connections_and_the_others_answer() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    stage.sandbox.trouble(System::Graph, Trouble::Away);
    for _ in 0..3 {
        let error = stage.try_users(&token).await.unwrap_err();
        assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    }
    assert_eq!(stage.sign_in(&[]).await.status, 200);
    stage.sandbox.mend(System::Graph);
    assert_eq!(stage.try_users(&token).await.unwrap().0, 200);
}

#[tokio::test]
async fn a_hanging_system_answers_nothing_until_it_is_mended() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    stage.sandbox.trouble(System::Graph, Trouble::Hang);
    let asked = stage.try_users(&token);
    tokio::pin!(asked);
    assert!(timeout(Duration::from_millis(100), &mut asked).await.is_err());
    stage.sandbox.mend(System::Graph);
    assert!(timeout(PATIENCE, asked).await.unwrap().is_err(), "what hung is lost");
}

#[tokio::test]
async fn stopping_ends_what_hangs() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    stage.sandbox.trouble(System::Graph, Trouble::Hang);
    let ask = stage.http.get(stage.url("/graph/v1.0/users")).bearer_auth(token).send();
    tokio::pin!(ask);
    assert!(timeout(Duration::from_millis(100), &mut ask).await.is_err());
    let (answer, ()) =
        timeout(PATIENCE, async { tokio::join!(ask, stage.sandbox.stop()) }).await.unwrap();
    assert!(answer.is_err());
}

#[tokio::test]
async fn answers_come_slowly_wrongly_or_in_part() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    let graph = System::Graph;
    stage.sandbox.trouble_next(graph, 1, Trouble::Status { status: 503, retry_after: Some(7) });
    let answer = stage.get("/users", &token).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("7")));
    stage.sandbox.trouble_next(graph, 1, Trouble::Html { status: 200 });
    assert!(stage.try_users(&token).await.unwrap().1.contains("<html>"));
    stage.sandbox.trouble_next(graph, 1, Trouble::HalfJson);
    let (status, text) = stage.try_users(&token).await.unwrap();
    assert_eq!(status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
    stage.sandbox.trouble_next(graph, 1, Trouble::Truncated);
    assert!(stage.try_users(&token).await.is_err());
    stage.sandbox.trouble_next(graph, 1, Trouble::Slow { milliseconds: 50 });
    let began = std::time::Instant::now();
    assert_eq!(stage.try_users(&token).await.unwrap().0, 200);
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert_eq!(stage.try_users(&token).await.unwrap().0, 200, "each was for one request");
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_deed() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    stage.sandbox.trouble_next(System::Graph, 1, Trouble::LoseAnswer);
    let path = format!("/graph/v1.0/users/{}/presence/setPresence", stage.ann());
    let body = serde_json::json!({
        "sessionId": stage.customer().app.client, "availability": "Busy", "activity": "InACall",
    });
    let lost = stage.http.post(stage.url(&path)).bearer_auth(&token).json(&body).send().await;
    assert!(lost.is_err());
    assert_eq!(stage.shown(), "Busy – In a call");
}

#[tokio::test]
async fn trouble_can_be_one_tenants_alone() {
    let world = World::empty()
        .with(Customer::named("Well").employs("Ann Miller"))
        .with(Customer::named("Ill").employs("Bob Stone"));
    let stage = Stage::with(world).await;
    let token = stage.token().await;
    let ill = stage.sandbox.world().customers[1].tenant.to_string();
    stage.sandbox.trouble_for(System::Graph, &ill, Trouble::status(500));
    stage.sandbox.trouble_for(System::Login, &ill, Trouble::status(500));
    assert_eq!(stage.get("/users", &token).await.status, 200);
    assert_eq!(stage.sign_in(&[("tenant", &ill)]).await.status, 500);
    stage.sandbox.mend_for(System::Login, &ill);
    assert_eq!(stage.sign_in(&[("tenant", &ill)]).await.status, 400);
}

#[tokio::test]
async fn whoever_waits_for_a_change_is_told() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    let (tenant, ann) = (stage.customer().tenant, stage.customer().people[0].id);
    let seen = until(&stage.sandbox, |sandbox| sandbox.session(tenant, ann).is_some());
    let (set, ()) = tokio::join!(stage.set_presence(&token, ["Busy", "InACall"], "PT5M"), seen);
    assert_eq!(set.status, 200);
}
