//! The rows of a customer, its users and what they did.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use presence_portal::ids::{AccountId, EntraUserId, IntegrationId};
use presence_portal::sandbox::{Customer, Person, Phone};
use sqlx::PgConnection;

use super::Life;
use super::copy::{Copy, NULL, or_null};

/// What a quarter of those whom we show something have, and for how many seconds.
const SHOWN: [(&str, &str, i64); 4] = [
    ("onCall", "in-a-call", 300),
    ("onCall", "in-a-call", 300),
    ("doNotDisturb", "presenting", 3_600),
    ("away", "away", 3_600),
];
/// What is wrong with one account in a hundred: side, cause, in words, whether a person has to act.
const TROUBLES: [(&str, &str, &str, bool); 4] = [
    ("microsoft", "secret-expired", "AADSTS7000222", true),
    ("microsoft", "permission-presence", "The role is not in the token.", true),
    ("microsoft", "microsoft-throttling", "Graph answered 429", false),
    ("feed", "feed-silent", "CloudLink had lost our subscription.", false),
];

pub struct Rows {
    life: Life,
    now: DateTime<Utc>,
    customers: usize,
    accounts: Copy,
    integrations: Copy,
    features: Copy,
    activity: Copy,
    cloudlink: Copy,
    entra: Copy,
    presences: Copy,
    minutes: Copy,
    troubles: Copy,
}

impl Rows {
    pub fn new(life: Life, now: DateTime<Utc>) -> Self {
        Self {
            life,
            now,
            customers: 0,
            accounts: Copy::into(
                "accounts (id, name, cloudlink_account_id, country, address, city, postal_code, language, support_emails, created_at, updated_at)",
            ),
            integrations: Copy::into("integrations (account_id, id, kind, release, added_at)"),
            features: Copy::into(
                "features (account_id, integration_id, feature, enabled, changed_at)",
            ),
            activity: Copy::into(
                "activity (at, actor, address, account_id, account_name, action, summary)",
            ),
            cloudlink: Copy::into(
                "cloudlink_users (account_id, user_id, name, email, entra_id, match_trouble)",
            ),
            entra: Copy::into(
                "entra_users (account_id, entra_id, user_principal_name, mail, display_name, enabled)",
            ),
            presences: Copy::into(
                "presences (account_id, user_id, state, entered_at, publication_id, received_at, decided_state, decided_at, decided_by, wanted, applied, applied_entra_id, applied_at, expires_at, due_at, urgency, asked_at, asked_for, answer_status, answer_ms, request_id)",
            ),
            minutes: Copy::into("push_minutes (account_id, minute, pushes, failures, delays)"),
            troubles: Copy::into(
                "presence_troubles (account_id, side, cause, detail, since, last_at, needs_person)",
            ),
        }
    }

    pub fn customer(
        &mut self,
        account: AccountId,
        integration: IntegrationId,
        customer: &Customer,
    ) {
        let number = self.customers;
        self.customers += 1;
        let since = self.now - TimeDelta::days(30) - TimeDelta::minutes(minutes(number));
        self.accounts.row(&[
            &account,
            &customer.name,
            &customer.account,
            &customer.country,
            &customer.street,
            &customer.city,
            &customer.postal_code,
            &customer.language,
            &format!("{{{}}}", customer.contact),
            &since.to_rfc3339(),
            &since.to_rfc3339(),
        ]);
        self.integrations.row(&[
            &account,
            &integration,
            &"microsoft-teams",
            &2,
            &since.to_rfc3339(),
        ]);
        self.features.row(&[&account, &integration, &"presence-sync", &true, &since.to_rfc3339()]);
        if self.life.lived_in {
            self.lived(account, customer, number, since);
        }
        self.users(account, customer);
    }

    fn users(&mut self, account: AccountId, customer: &Customer) {
        let mut called: HashMap<String, Vec<&Person>> = HashMap::new();
        for person in customer.people.iter().map(Arc::as_ref) {
            let mail = or_null(person.mail.as_ref());
            let (id, upn, name) = (&person.id, &person.user_principal_name, &person.name);
            self.entra.row(&[&account, id, upn, &mail, name, &person.enabled]);
            let address = person.mail.as_ref().unwrap_or(upn);
            called.entry(address.to_lowercase()).or_default().push(person);
        }
        for (number, phone) in customer.phones.iter().map(Arc::as_ref).enumerate() {
            let (matched, trouble) =
                match called.get(&phone.email.to_lowercase()).map(Vec::as_slice) {
                    None => (None, Some("not-in-entra")),
                    Some([one]) if one.enabled => (Some(one.id), None),
                    Some([_]) => (None, Some("disabled")),
                    Some(_) => (None, Some("duplicate")),
                };
            let (on, why) = (or_null(matched), or_null(trouble));
            self.cloudlink.row(&[&account, &phone.user, &phone.name, &phone.email, &on, &why]);
            self.presence(account, phone, matched, number);
        }
    }

    fn presence(
        &mut self,
        account: AccountId,
        phone: &Phone,
        on: Option<EntraUserId>,
        number: usize,
    ) {
        let came = self.now - TimeDelta::seconds(minutes(number * 7) + 2);
        let at = came.to_rfc3339();
        let publication = format!("seed-{number}");
        let held = on.filter(|_| number * 61 % 100 < self.life.held);
        let (state, wanted, lasts) = match held {
            Some(_) => SHOWN[number / 100 % SHOWN.len()],
            None => ("available", NULL, 0),
        };
        let folded = state.to_lowercase();
        let begin: [&dyn std::fmt::Display; 10] = [
            &account,
            &phone.user,
            &state,
            &at,
            &publication,
            &at,
            &folded,
            &at,
            &publication,
            &wanted,
        ];
        let Some(on) = held else {
            let nothing: [&dyn std::fmt::Display; 11] =
                [&NULL, &NULL, &NULL, &NULL, &NULL, &1, &NULL, &NULL, &NULL, &NULL, &NULL];
            return self.presences.row(&[&begin[..], &nothing].concat());
        };
        let since = self.now - TimeDelta::seconds(i64::try_from(number % 200).unwrap());
        let until = (since + TimeDelta::seconds(lasts)).to_rfc3339();
        let due = (since + TimeDelta::seconds(lasts * 4 / 5)).to_rfc3339();
        let since = since.to_rfc3339();
        self.presences.row(
            &[
                &begin[..],
                &[&wanted, &on, &since, &until, &due, &2, &since, &wanted, &200, &41, &"seed"],
            ]
            .concat(),
        );
    }

    /// The last hour's figures, what people did, and now and then something that is wrong.
    fn lived(
        &mut self,
        account: AccountId,
        customer: &Customer,
        number: usize,
        since: DateTime<Utc>,
    ) {
        let name = &customer.name;
        for (action, summary, days) in [
            ("account.created", format!("Added {name}."), 0),
            ("integration.added", "Added Microsoft Teams.".to_owned(), 0),
            ("integration.set_up", "Set up Microsoft Teams.".to_owned(), 1),
            ("user.excluded", "Excluded a user.".to_owned(), 20),
        ] {
            let at = (since + TimeDelta::days(days)).to_rfc3339();
            self.activity.row(&[
                &at,
                &"ann@partner.example",
                &"192.0.2.7",
                &account,
                name,
                &action,
                &summary,
            ]);
        }
        let this_minute = self.now.timestamp() / 60 * 60;
        for step in 0..6 {
            let ago = i64::try_from((number + step * 10) % 60).unwrap();
            let minute = DateTime::<Utc>::from_timestamp(this_minute - ago * 60, 0).unwrap();
            let delays = "{0,0,1,3,4,2,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}";
            let failures = usize::from((number + step).is_multiple_of(50));
            self.minutes.row(&[&account, &minute.to_rfc3339(), &12, &failures, &delays]);
        }
        if number % 100 == 7 {
            let (side, cause, detail, needed) = TROUBLES[number / 100 % TROUBLES.len()];
            let began = (self.now - TimeDelta::minutes(minutes(number))).to_rfc3339();
            let last = self.now.to_rfc3339();
            self.troubles.row(&[&account, &side, &cause, &detail, &began, &last, &needed]);
        }
    }

    /// What others refer to.
    pub async fn write_accounts(&mut self, tx: &mut PgConnection) -> sqlx::Result<()> {
        for copy in [&mut self.accounts, &mut self.integrations, &mut self.features] {
            copy.write(tx).await?;
        }
        Ok(())
    }

    pub async fn write_users(mut self, tx: &mut PgConnection) -> sqlx::Result<()> {
        for copy in [
            &mut self.activity,
            &mut self.entra,
            &mut self.cloudlink,
            &mut self.presences,
            &mut self.minutes,
            &mut self.troubles,
        ] {
            copy.write(tx).await?;
        }
        Ok(())
    }
}

/// Some number of minutes within a day, another for each number.
fn minutes(number: usize) -> i64 {
    i64::try_from(number * 7_919 % 1_440).unwrap()
}
