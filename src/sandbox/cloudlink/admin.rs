//! `/accounts` and `/accounts/{id}/users`.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::calls::{Answer, Asked, Caller, collection, message};
use super::{Account, Cloudlink, User};
use crate::ids::CloudlinkUserId;

/// Reads only: a partner makes and changes accounts in Mitel Administration.
pub(super) fn answer(
    cloudlink: &Cloudlink,
    caller: &Caller,
    asked: &Asked,
    rest: &[&str],
) -> Answer {
    if asked.method != Method::GET {
        return message(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    }
    let partner = caller.is_partner(cloudlink);
    let [id, rest @ ..] = rest else {
        if !partner {
            return message(StatusCode::FORBIDDEN, "Forbidden");
        }
        let accounts = cloudlink.accounts();
        let items = accounts.iter().map(|account| as_account(account)).collect();
        return collection(cloudlink, asked, items);
    };
    let Some(account) = cloudlink.account(id) else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    if !partner && caller.account != account.id.as_str() {
        return message(StatusCode::FORBIDDEN, "Forbidden");
    }
    match rest {
        [] => (StatusCode::OK, Some(as_account(&account))),
        ["users"] => {
            let items = account.state().users().map(|user| as_user(&account, user)).collect();
            collection(cloudlink, asked, items)
        }
        ["users", user] => {
            let state = account.state();
            let user = CloudlinkUserId::parse(user).ok();
            match user.and_then(|user| state.user(&user)) {
                Some(user) => (StatusCode::OK, Some(as_user(&account, user))),
                None => message(StatusCode::NOT_FOUND, "Not Found"),
            }
        }
        _ => message(StatusCode::NOT_FOUND, "Not Found"),
    }
}

fn as_account(account: &Account) -> Value {
    let details = &account.details;
    json!({
        "accountId": account.id,
        "name": account.name,
        "accountNumber": account.number,
        "partnerId": "991000002",
        "active": true,
        "state": "ACTIVE",
        "domain": format!("{}.sandbox.api.mitel.io", account.id),
        "languageCode": details.language,
        "location": {"address": {
            "country": details.country,
            "street": details.street,
            "city": details.city,
            "stateOrProvince": "",
            "zipCode": details.postal_code,
        }},
        "contacts": [{
            "contactId": account.number,
            "accountId": account.id,
            "name": "Support",
            "email": details.contact,
            "contactType": "SUPPORT",
        }],
        "createdOn": "2025-01-06T09:00:00.000Z",
        "_links": {"self": format!("/2017-09-01/accounts/{}", account.id)},
    })
}

fn as_user(account: &Account, user: &User) -> Value {
    let phone = &user.phone;
    let mut value = json!({
        "userId": phone.user,
        "accountId": account.id,
        "name": phone.name,
        "displayName": phone.name,
        "role": "USER",
        "extension": phone.extension,
        "extensionVerified": true,
        "sipAddress": format!("{}@{}.sandbox.api.mitel.io", phone.user, account.id),
        "createdOn": "2025-01-06T09:00:00.000Z",
        "_links": {"self": format!("/2017-09-01/accounts/{}/users/{}", account.id, phone.user)},
    });
    if let (false, Some(value)) = (phone.email.is_empty(), value.as_object_mut()) {
        value.insert("email".to_owned(), json!(phone.email));
        value.insert("emailVerified".to_owned(), json!(true));
    }
    value
}
