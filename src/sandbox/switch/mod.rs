//! The switches by name, as the control API and the forms of the page turn them.

mod turn;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::microsoft::apps::Standing;
use super::{ContentShape, MailManners, Storm, System, Trouble};
use crate::ids::{CloudlinkAccountId, CloudlinkUserId, EntraUserId, TenantId};

/// One turn of one switch: `{"do": "phone", "account": "…", "user": "…", "status": "onCall"}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(super) enum Switch {
    /// Puts a phone into a state, and tells the subscribers.
    Phone {
        account: CloudlinkAccountId,
        user: CloudlinkUserId,
        status: String,
        at: Option<DateTime<Utc>>,
    },
    /// Tells of somebody whom CloudLink's list of users does not have.
    Stranger {
        account: CloudlinkAccountId,
        user: CloudlinkUserId,
        status: String,
    },
    Storm(Storm),
    RepeatLast {
        account: CloudlinkAccountId,
    },
    DropSubscriptions {
        account: CloudlinkAccountId,
    },
    DoubleSubscriptions {
        account: CloudlinkAccountId,
    },
    RefuseAccount {
        account: CloudlinkAccountId,
        on: bool,
    },
    RefusePartner {
        on: bool,
    },
    ContentShape {
        shape: ContentShape,
    },
    AddPhone {
        account: CloudlinkAccountId,
        name: String,
        email: Option<String>,
    },
    ChangePhone {
        account: CloudlinkAccountId,
        user: CloudlinkUserId,
        name: Option<String>,
        email: Option<String>,
    },
    RemovePhone {
        account: CloudlinkAccountId,
        user: CloudlinkUserId,
    },
    Trouble {
        system: System,
        whose: Option<String>,
        requests: Option<u32>,
        #[serde(flatten)]
        trouble: Trouble,
    },
    Mend {
        system: System,
        whose: Option<String>,
    },
    ExpireSecrets {
        tenant: TenantId,
    },
    NewSecret {
        tenant: TenantId,
    },
    ReplaceSecrets {
        tenant: TenantId,
    },
    /// One secret expires, by its Secret ID; the others stay good.
    ExpireSecret {
        tenant: TenantId,
        secret: Uuid,
    },
    /// A certificate as text, as it was downloaded.
    UploadCertificate {
        tenant: TenantId,
        certificate: String,
    },
    ExpireCertificates {
        tenant: TenantId,
    },
    DeleteCertificates {
        tenant: TenantId,
    },
    Permission {
        tenant: TenantId,
        role: String,
        on: bool,
    },
    App {
        tenant: TenantId,
        standing: Standing,
    },
    ConditionalAccess {
        tenant: TenantId,
        on: bool,
    },
    LoginTrouble {
        tenant: TenantId,
        on: bool,
    },
    UnknownTenant {
        tenant: TenantId,
        on: bool,
    },
    OpaqueTokens {
        tenant: TenantId,
        on: bool,
    },
    TokenLifetime {
        tenant: TenantId,
        seconds: u32,
    },
    RevokeTokens {
        tenant: TenantId,
    },
    Throttle {
        tenant: TenantId,
        seconds: u32,
    },
    Unthrottle {
        tenant: TenantId,
    },
    PresenceLimit {
        tenant: TenantId,
        units: u32,
        seconds: u32,
    },
    ResetDelta {
        tenant: TenantId,
    },
    AwkwardDelta {
        tenant: TenantId,
        on: bool,
    },
    PageSize {
        tenant: TenantId,
        users: usize,
    },
    NoTeamsStatus {
        tenant: TenantId,
        status: u16,
    },
    /// The person's own Teams client: signed out without an availability.
    TeamsClient {
        tenant: TenantId,
        user: EntraUserId,
        shows: Option<String>,
    },
    /// What the person picks by hand; nothing resets it.
    Prefer {
        tenant: TenantId,
        user: EntraUserId,
        shows: Option<String>,
    },
    AddPerson {
        tenant: TenantId,
        name: String,
        address: Option<String>,
    },
    ChangePerson {
        tenant: TenantId,
        user: EntraUserId,
        name: Option<String>,
        user_principal_name: Option<String>,
        mail: Option<String>,
        enabled: Option<bool>,
        teams: Option<bool>,
    },
    RemovePerson {
        tenant: TenantId,
        user: EntraUserId,
        forever: Option<bool>,
    },
    RestorePerson {
        tenant: TenantId,
        user: EntraUserId,
    },
    /// How far the clocks out here are ahead of the portal's.
    ClocksAhead {
        seconds: i32,
    },
    ForgetRequests,
    /// How the pretend mail server takes letters.
    Mail {
        manners: MailManners,
    },
    /// What webhooks are answered.
    HooksAnswer {
        status: u16,
    },
    ForgetMessages,
}
