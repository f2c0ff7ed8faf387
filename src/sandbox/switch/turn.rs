//! What each switch does when it is turned.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Switch;
use crate::ids::CloudlinkUserId;
use crate::sandbox::microsoft::apps::KeptSecret;
use crate::sandbox::microsoft::directory::Removed;
use crate::sandbox::microsoft::presence::Pair;
use crate::sandbox::microsoft::quota::Limit;
use crate::sandbox::world::{Permission, Person, Phone};
use crate::sandbox::{Controls, NotThere, TenantManners};

impl Switch {
    /// Turns it. What it made, where it made something: a new secret, a new user.
    pub(in crate::sandbox) fn turn(self, controls: &Controls) -> Result<Value, NotThere> {
        match self {
            Self::Storm(storm) => controls.storm(storm),
            Self::ClocksAhead { seconds } => {
                controls.clocks_are_ahead(TimeDelta::seconds(seconds.into()));
            }
            Self::ForgetRequests => controls.forget_requests(),
            Self::Mail { manners } => controls.mail_now(manners),
            Self::HooksAnswer { status } => controls.hooks_answer(status),
            Self::ForgetMessages => controls.forget_messages(),
            Self::RefusePartner { on } => {
                controls.cloudlink_manners(|manners| manners.refuse_partner = on);
            }
            Self::ContentShape { shape } => {
                controls.cloudlink_manners(|manners| manners.content = shape);
            }
            Self::Trouble { system, whose, requests, trouble } => {
                controls.set_trouble(system, named(whose.as_deref()), trouble, requests);
            }
            Self::Mend { system, whose } => match named(whose.as_deref()) {
                Some(whose) => controls.mend_for(system, whose),
                None => controls.mend(system),
            },
            other => return other.turn_one_customers(controls),
        }
        Ok(json!({}))
    }

    /// The switches of one account or tenant.
    fn turn_one_customers(self, controls: &Controls) -> Result<Value, NotThere> {
        match self {
            Self::Phone { account, user, status, at } => {
                controls.phone_since(&account, &user, &status, at.unwrap_or(controls.now()))?;
            }
            Self::Stranger { account, user, status } => {
                controls.phone_of_stranger(&account, &user, &status)?;
            }
            Self::RepeatLast { account } => controls.repeat_last(&account)?,
            Self::DropSubscriptions { account } => controls.drop_subscriptions(&account)?,
            Self::DoubleSubscriptions { account } => controls.double_subscriptions(&account)?,
            Self::RefuseAccount { account, on } => controls.refuse_account(&account, on)?,
            Self::AddPhone { account, name, email } => {
                let phone = new_phone(&name, email)?;
                let made = json!({"user": phone.user});
                controls.add_phone(&account, phone)?;
                return Ok(made);
            }
            Self::ChangePhone { account, user, name, email } => {
                controls.change_phone(&account, &user, |phone| {
                    change(&mut phone.name, name);
                    change(&mut phone.email, email);
                })?;
            }
            Self::RemovePhone { account, user } => controls.remove_phone(&account, &user)?,
            Self::ExpireSecrets { tenant } => controls.expire_secrets(tenant)?,
            Self::NewSecret { tenant } => {
                return controls.new_secret(tenant).map(|it| as_shown(&it));
            }
            Self::ReplaceSecrets { tenant } => {
                return controls.replace_secrets(tenant).map(|it| as_shown(&it));
            }
            Self::ExpireSecret { tenant, secret } => controls.expire_secret(tenant, secret)?,
            Self::UploadCertificate { tenant, certificate } => {
                let kept = controls.upload_certificate(tenant, &certificate)?;
                return Ok(json!({"id": kept.id, "thumbprint": kept.thumbprint}));
            }
            Self::ExpireCertificates { tenant } => controls.expire_certificates(tenant)?,
            Self::DeleteCertificates { tenant } => controls.delete_certificates(tenant)?,
            Self::Permission { tenant, role, on } => {
                let permission = Permission::of_role(&role)
                    .ok_or_else(|| NotThere(format!("permission {role}")))?;
                if on {
                    controls.grant(tenant, permission)?;
                } else {
                    controls.revoke(tenant, permission)?;
                }
            }
            Self::App { tenant, standing } => controls.app_is(tenant, standing)?,
            Self::RevokeTokens { tenant } => controls.revoke_tokens(tenant)?,
            Self::Throttle { tenant, seconds } => {
                controls.throttle(tenant, TimeDelta::seconds(seconds.into()))?;
            }
            Self::Unthrottle { tenant } => controls.unthrottle(tenant)?,
            Self::ResetDelta { tenant } => controls.reset_delta(tenant)?,
            Self::TeamsClient { tenant, user, shows } => {
                controls.teams_client(tenant, user, pair(shows.as_deref()))?;
            }
            Self::Prefer { tenant, user, shows } => {
                controls.prefer(tenant, user, pair(shows.as_deref()))?;
            }
            other => return other.turn_directory(controls),
        }
        Ok(json!({}))
    }

    fn turn_directory(self, controls: &Controls) -> Result<Value, NotThere> {
        match self {
            Self::AddPerson { tenant, name, address } => {
                let domain = controls.tenant(tenant)?.domain.clone();
                let person = new_person(&name, address, &domain);
                let made = json!({"user": person.id});
                controls.add_person(tenant, person)?;
                return Ok(made);
            }
            Self::ChangePerson {
                tenant,
                user,
                name,
                user_principal_name,
                mail,
                enabled,
                teams,
            } => {
                controls.change_person(tenant, user, |person| {
                    change(&mut person.name, name);
                    change(&mut person.user_principal_name, user_principal_name);
                    if let Some(mail) = &mail {
                        person.mail = named(Some(mail)).map(str::to_owned);
                    }
                    change(&mut person.enabled, enabled);
                    change(&mut person.teams, teams);
                })?;
            }
            Self::RemovePerson { tenant, user, forever } => {
                let forever = forever.unwrap_or_default();
                let how = if forever { Removed::ForGood } else { Removed::Restorable };
                controls.remove_person(tenant, user, how)?;
            }
            Self::RestorePerson { tenant, user } => controls.restore_person(tenant, user)?,
            other => other.turn_manners(controls)?,
        }
        Ok(json!({}))
    }

    fn turn_manners(self, controls: &Controls) -> Result<(), NotThere> {
        let tenant = match &self {
            Self::ConditionalAccess { tenant, .. }
            | Self::LoginTrouble { tenant, .. }
            | Self::UnknownTenant { tenant, .. }
            | Self::OpaqueTokens { tenant, .. }
            | Self::TokenLifetime { tenant, .. }
            | Self::PresenceLimit { tenant, .. }
            | Self::AwkwardDelta { tenant, .. }
            | Self::PageSize { tenant, .. }
            | Self::NoTeamsStatus { tenant, .. } => *tenant,
            other => return Err(NotThere(format!("switch {other:?}"))),
        };
        controls.manners(tenant, |manners| self.change(manners))
    }

    fn change(&self, manners: &mut TenantManners) {
        match self {
            Self::ConditionalAccess { on, .. } => manners.conditional_access = *on,
            Self::LoginTrouble { on, .. } => manners.login_trouble = *on,
            Self::UnknownTenant { on, .. } => manners.unknown = *on,
            Self::OpaqueTokens { on, .. } => manners.opaque_tokens = *on,
            Self::AwkwardDelta { on, .. } => manners.awkward_delta = *on,
            Self::PageSize { users, .. } => manners.page_size = *users,
            Self::NoTeamsStatus { status, .. } => manners.no_teams_status = *status,
            Self::TokenLifetime { seconds, .. } => {
                manners.token_lifetime = TimeDelta::seconds((*seconds).into());
            }
            Self::PresenceLimit { units, seconds, .. } => {
                let within = TimeDelta::seconds((*seconds).max(1).into());
                manners.presence_limit = Limit { units: *units, within };
            }
            _ => {}
        }
    }
}

/// What was not said stays as it is.
fn change<T>(place: &mut T, to: Option<T>) {
    if let Some(to) = to {
        *place = to;
    }
}

/// An empty field of a form is one that was not filled in.
fn named(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// `Busy/InAMeeting`, or `Away` for `Away/Away`.
fn pair(shows: Option<&str>) -> Option<Pair> {
    let shows = named(shows)?;
    let (availability, activity) = shows.split_once('/').unwrap_or((shows, shows));
    Some(Pair::new(availability, activity))
}

fn as_shown(secret: &KeptSecret) -> Value {
    json!({"id": secret.id, "value": secret.value.reveal(), "until": secret.until})
}

fn new_phone(name: &str, email: Option<String>) -> Result<Phone, NotThere> {
    let id = Uuid::new_v4();
    let user =
        CloudlinkUserId::parse(&id.to_string()).map_err(|_| NotThere("user id".to_owned()))?;
    let extension = format!("3{:03}", id.as_u128() % 1000);
    Ok(Phone { user, name: name.to_owned(), email: email.unwrap_or_default(), extension })
}

fn new_person(name: &str, address: Option<String>, domain: &str) -> Person {
    let address = address.filter(|address| !address.trim().is_empty());
    let address = address.unwrap_or_else(|| {
        let local = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(".");
        format!("{local}@{domain}")
    });
    Person {
        id: Uuid::new_v4().into(),
        name: name.to_owned(),
        user_principal_name: address.clone(),
        mail: Some(address),
        aliases: Vec::new(),
        enabled: true,
        teams: true,
        guest: false,
    }
}
