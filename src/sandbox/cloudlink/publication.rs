//! A presence publication, in the wrapper that Mitel documents and a content that it does not.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Subscription;
use crate::ids::{CloudlinkAccountId, CloudlinkUserId};

/// One change of one presentity.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    pub(crate) id: Uuid,
    pub(crate) account: CloudlinkAccountId,
    pub(crate) user: CloudlinkUserId,
    pub(crate) status: String,
    /// When the phone came into this state.
    pub(crate) entered_on: DateTime<Utc>,
    pub(crate) published_on: DateTime<Utc>,
}

/// Where the state stands inside of `content`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContentShape {
    /// `presences.aggregate.status`, as Mitel's own model of an endpoint has it.
    #[default]
    Aggregate,
    /// `aggregate.status`.
    ShortAggregate,
    /// `status`.
    Status,
    /// `state`.
    State,
    /// `presence`.
    Presence,
    /// Nothing that says a state.
    Nothing,
}

pub(super) const TOPIC: &str = "platform-api-presence";
pub(super) const METHOD: &str = "PUT";

impl Publication {
    pub(super) fn subject(&self) -> String {
        format!("/2017-09-01/presentities/{}", self.user)
    }

    /// What is posted to a subscriber.
    pub(super) fn body(&self, subscription: &Subscription, shape: ContentShape) -> Value {
        let subject = self.subject();
        let mut content = shape.content(&self.status, &written(self.entered_on));
        if let Some(content) = content.as_object_mut() {
            content.insert("presentityId".to_owned(), json!(self.user));
            content.insert("accountId".to_owned(), json!(self.account));
            content.insert("modifiedOn".to_owned(), json!(written(self.published_on)));
            content.insert("_links".to_owned(), json!({"self": subject}));
        }
        json!({
            "publicationId": self.id,
            "topic": TOPIC,
            "method": METHOD,
            "subject": subject,
            "content": content,
            "publisher": {"accountId": self.account, "principalId": self.user},
            "subscription": {"subscriptionId": subscription.id},
            "notification": {
                "createdOn": written(self.published_on),
                "correlationId": Uuid::new_v4(),
            },
        })
    }
}

impl ContentShape {
    fn content(self, status: &str, entered_on: &str) -> Value {
        let entered = json!({"status": status, "enteredOn": entered_on});
        match self {
            Self::Aggregate => json!({"presences": {"principal": entered, "aggregate": entered}}),
            Self::ShortAggregate => json!({"aggregate": entered}),
            Self::Status => entered,
            Self::State => json!({"state": status, "enteredOn": entered_on}),
            Self::Presence => json!({"presence": status, "enteredOn": entered_on}),
            Self::Nothing => json!({}),
        }
    }
}

pub(super) fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
