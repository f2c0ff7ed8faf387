//! The directory: lists, filters, and what changed since.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use presence_portal::sandbox::{Customer, Quirk, Removed, World};
use serde_json::Value;

use super::{Answer, Stage};

const SELECT: &str = "$select=id,displayName,mail,userPrincipalName,accountEnabled";

/// Follows a delta to its end: the users told, and the link for the next time.
async fn round(stage: &Stage, token: &str, start: &str) -> (Vec<Value>, String) {
    let mut told = Vec::new();
    let mut link = start.to_owned();
    for _ in 0..100 {
        let page = stage.get(&link, token).await;
        assert_eq!(page.status, 200, "{}", page.body);
        told.extend(page.body["value"].as_array().unwrap().iter().cloned());
        match page.body["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut link),
            None => return (told, page.body["@odata.deltaLink"].as_str().unwrap().to_owned()),
        }
    }
    panic!("the delta never ended");
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|user| user["displayName"].as_str())
        .collect()
}

#[tokio::test]
async fn users_come_in_pages_with_what_was_selected() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    let page = stage.get(&format!("/users?{SELECT}&$top=2"), &token).await;
    assert_eq!(names(&page), ["Ann Miller", "Bob Stone"]);
    assert_eq!(page.body["value"][0].as_object().unwrap().len(), 5);
    let next = page.body["@odata.nextLink"].as_str().unwrap();
    let page = stage.get(next, &token).await;
    assert_eq!(names(&page), ["Cleo Hart"]);
    assert!(page.body.get("@odata.nextLink").is_none());
    let usual = stage.get("/users", &token).await;
    assert!(usual.body["value"][0].get("accountEnabled").is_none(), "only when selected");
    for refused in ["/users?$top=1000", "/users?$skip=1", "/users?$select=id,shoeSize"] {
        assert_eq!(stage.get(refused, &token).await.status, 400, "{refused}");
    }
}

#[tokio::test]
async fn somebody_is_found_by_id_upn_mail_and_alias() {
    let customer = Customer::named("Finder")
        .employs_with("Ann Miller", Quirk::UpnDiffers)
        .employs_with("Bob Stone", Quirk::Alias)
        .employs_with("Gus O'Hara", Quirk::None);
    let stage = Stage::with(World::empty().with(customer)).await;
    let token = stage.token().await;
    let ann = stage.customer().person("Ann Miller").unwrap().clone();
    for named in [ann.id.to_string(), ann.user_principal_name.to_uppercase()] {
        let found = stage.get(&format!("/users/{named}"), &token).await;
        assert_eq!(found.body["displayName"], "Ann Miller", "{named}");
    }
    let missing = stage.get(&format!("/users/{}", uuid::Uuid::new_v4()), &token).await;
    assert_eq!((missing.status, missing.code()), (404, "Request_ResourceNotFound"));
    for (filter, found) in [
        ("mail eq 'ANN.MILLER@finder.example'", "Ann Miller"),
        ("userPrincipalName eq 'x' or mail eq 'ann.miller@finder.example'", "Ann Miller"),
        ("proxyAddresses/any(p:p eq 'smtp:bob.stone@finder.example')", "Bob Stone"),
        ("displayName eq 'Gus O''Hara'", "Gus O'Hara"),
        ("startswith(displayName,'gus')", "Gus O'Hara"),
    ] {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let page = stage.get(&format!("/users?$filter={filter}"), &token).await;
        assert_eq!(names(&page), [found], "{filter}");
    }
    assert_eq!(stage.get("/users?$filter=shoeSize+eq+'9'", &token).await.status, 400);
}

#[tokio::test]
async fn a_delta_tells_everybody_then_only_what_is_different() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    let tenant = stage.customer().tenant;
    let id = |name: &str| stage.customer().person(name).unwrap().id;
    stage.sandbox.manners(tenant, |manners| manners.page_size = 2).unwrap();
    let (everybody, link) = round(&stage, &token, &format!("/users/delta?{SELECT}")).await;
    assert_eq!(everybody.len(), 3);
    assert!(everybody[0].get("mail").is_some());
    let (nothing, link) = round(&stage, &token, &link).await;
    assert!(nothing.is_empty());

    stage
        .sandbox
        .change_person(tenant, id("Ann Miller"), |ann| "Ann Muller".clone_into(&mut ann.name))
        .unwrap();
    stage.sandbox.change_person(tenant, id("Bob Stone"), |bob| bob.enabled = false).unwrap();
    stage.sandbox.remove_person(tenant, id("Cleo Hart"), Removed::Restorable).unwrap();
    let (changes, link) = round(&stage, &token, &link).await;
    assert_eq!(changes.len(), 3);
    assert_eq!(changes[0]["displayName"], "Ann Muller");
    assert!(changes[0].get("mail").is_none(), "an update carries what changed");
    assert_eq!(changes[1]["accountEnabled"], false);
    assert_eq!(changes[2]["@removed"]["reason"], "changed");

    stage.sandbox.restore_person(tenant, id("Cleo Hart")).unwrap();
    stage.sandbox.remove_person(tenant, id("Bob Stone"), Removed::ForGood).unwrap();
    let (changes, _) = round(&stage, &token, &link).await;
    assert_eq!(changes[0]["displayName"], "Cleo Hart");
    assert_eq!(changes[0].as_object().unwrap().len(), 5, "whoever is new comes whole");
    assert_eq!(changes[1]["@removed"]["reason"], "deleted");
}

#[tokio::test]
async fn a_delta_link_goes_stale_or_is_reset() {
    let stage = Stage::set().await;
    let tenant = stage.customer().tenant;
    let token = stage.token().await;
    let (nobody, link) = round(&stage, &token, "/users/delta?$deltatoken=latest").await;
    assert!(nobody.is_empty());
    stage.sandbox.reset_delta(tenant).unwrap();
    let gone = stage.get(&link, &token).await;
    assert_eq!((gone.status, gone.code()), (410, "resyncRequired"));
    assert!(gone.header("location").unwrap().ends_with("$deltatoken="));
    let (everybody, link) = round(&stage, &token, gone.header("location").unwrap()).await;
    assert_eq!(everybody.len(), 3);
    stage.clock.advance(TimeDelta::days(7) + TimeDelta::seconds(1));
    let token = stage.token().await;
    let refused = stage.get(&link, &token).await;
    assert_eq!((refused.status, refused.code()), (400, "syncStateNotFound"));
    assert_eq!(stage.get("/users/delta?$top=5", &token).await.status, 400);
}

#[tokio::test]
async fn an_awkward_delta_tells_the_same_with_empty_pages_and_repeats() {
    let stage = Stage::set().await;
    let token = stage.token().await;
    stage.sandbox.manners(stage.customer().tenant, |manners| manners.awkward_delta = true).unwrap();
    let first = stage.get("/users/delta", &token).await;
    assert!(first.body["value"].as_array().unwrap().is_empty());
    let (told, link) = round(&stage, &token, "/users/delta").await;
    let ids: BTreeSet<_> = told.iter().map(|user| user["id"].to_string()).collect();
    assert_eq!((told.len(), ids.len()), (4, 3));
    let (nothing, _) = round(&stage, &token, &link).await;
    assert!(nothing.is_empty());
}
