//! A tenant's users, and what changed since when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::world::Person;
use crate::ids::EntraUserId;

/// The users in the order they came, none ever taken out, so that a page stays where it was.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    entries: Vec<Entry>,
    places: HashMap<EntraUserId, usize>,
    changes: Vec<Change>,
    /// Delta links of an older generation are answered 410.
    pub(crate) generation: u32,
}

#[derive(Debug)]
pub(crate) struct Entry {
    /// Shared with the world it came from, until somebody changes it.
    pub(crate) person: Arc<Person>,
    pub(crate) removed: Option<Removed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// Can be restored: `changed`.
    Restorable,
    /// Gone for good: `deleted`.
    ForGood,
}

/// One change: which entry, and which of [`FIELDS`] as bits.
#[derive(Clone, Copy, Debug)]
struct Change {
    place: usize,
    fields: u16,
}

const ALL: u16 = u16::MAX;

/// What an update of a delta may carry, with the bit that says it changed.
const FIELDS: [(&str, u16); 8] = [
    ("displayName", 1),
    ("givenName", 1),
    ("surname", 1),
    ("userPrincipalName", 2),
    ("mail", 4),
    ("proxyAddresses", 8),
    ("accountEnabled", 16),
    ("userType", 64),
];
const PLANS: u16 = 32;

impl Directory {
    pub(crate) fn of(people: &[Arc<Person>]) -> Self {
        let entries: Vec<_> = people
            .iter()
            .map(|person| Entry { person: Arc::clone(person), removed: None })
            .collect();
        let places = people.iter().enumerate().map(|(place, person)| (person.id, place)).collect();
        Self { entries, places, changes: Vec::new(), generation: 0 }
    }

    pub(crate) fn get(&self, id: EntraUserId) -> Option<&Person> {
        let entry = self.entries.get(*self.places.get(&id)?)?;
        entry.removed.is_none().then_some(entry.person.as_ref())
    }

    /// By id or by UPN, as the path of a request names somebody.
    pub(crate) fn named(&self, id_or_upn: &str) -> Option<&Person> {
        match id_or_upn.parse() {
            Ok(id) => self.get(id),
            Err(_) => self.present().find(|person| {
                person.user_principal_name.to_lowercase() == id_or_upn.to_lowercase()
            }),
        }
    }

    pub(crate) fn present(&self) -> impl Iterator<Item = &Person> {
        self.entries
            .iter()
            .filter(|entry| entry.removed.is_none())
            .map(|entry| entry.person.as_ref())
    }

    pub(crate) fn removed(&self) -> impl Iterator<Item = &Person> {
        let restorable = Some(Removed::Restorable);
        let entries = self.entries.iter().filter(move |entry| entry.removed == restorable);
        entries.map(|entry| entry.person.as_ref())
    }

    /// The entries from a place on; a page of a list that people may be added to meanwhile.
    pub(crate) fn from(&self, place: usize) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().skip(place)
    }

    /// How many changes there were: a delta link is this number.
    pub(crate) fn now(&self) -> usize {
        self.changes.len()
    }

    /// Who changed between two links, each once, oldest first, with what changed of them.
    pub(crate) fn between(&self, since: usize, until: usize) -> Vec<(&Entry, u16)> {
        let mut latest: HashMap<usize, (usize, u16)> = HashMap::new();
        for (order, change) in self.changes.iter().enumerate().take(until).skip(since) {
            let (seen, fields) = latest.entry(change.place).or_default();
            *seen = order;
            *fields |= change.fields;
        }
        let in_order: BTreeMap<_, _> =
            latest.into_iter().map(|(place, (order, fields))| (order, (place, fields))).collect();
        let found = in_order.into_values();
        found.filter_map(|(place, fields)| Some((self.entries.get(place)?, fields))).collect()
    }

    pub(crate) fn add(&mut self, person: Person) {
        let place = self.entries.len();
        self.places.insert(person.id, place);
        self.entries.push(Entry { person: Arc::new(person), removed: None });
        self.changes.push(Change { place, fields: ALL });
    }

    /// Changes somebody, and notes what became different. False when there is nobody.
    pub(crate) fn change(&mut self, id: EntraUserId, change: impl FnOnce(&mut Person)) -> bool {
        let Some(place) = self.places.get(&id).copied() else { return false };
        let Some(entry) = self.entries.get_mut(place) else { return false };
        if entry.removed.is_some() {
            return false;
        }
        let before = Arc::clone(&entry.person);
        change(Arc::make_mut(&mut entry.person));
        let after = &entry.person;
        let mut fields = 0;
        fields |= u16::from(before.name != after.name);
        fields |= u16::from(before.user_principal_name != after.user_principal_name) * 2;
        fields |= u16::from(before.mail != after.mail) * 4;
        fields |= u16::from(before.mail != after.mail || before.aliases != after.aliases) * 8;
        fields |= u16::from(before.enabled != after.enabled) * 16;
        fields |= u16::from(before.teams != after.teams) * PLANS;
        fields |= u16::from(before.guest != after.guest) * 64;
        if fields != 0 {
            self.changes.push(Change { place, fields });
        }
        true
    }

    pub(crate) fn remove(&mut self, id: EntraUserId, how: Removed) -> bool {
        self.mark(id, Some(how))
    }

    pub(crate) fn restore(&mut self, id: EntraUserId) -> bool {
        self.mark(id, None)
    }

    fn mark(&mut self, id: EntraUserId, removed: Option<Removed>) -> bool {
        let Some(place) = self.places.get(&id).copied() else { return false };
        match self.entries.get_mut(place) {
            Some(entry) if entry.removed != Some(Removed::ForGood) && entry.removed != removed => {
                entry.removed = removed;
                self.changes.push(Change { place, fields: ALL });
                true
            }
            _ => false,
        }
    }
}

impl Removed {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Restorable => "changed",
            Self::ForGood => "deleted",
        }
    }
}

/// Whether a change that touched `fields` touched this property.
pub(crate) fn touched(property: &str, fields: u16) -> bool {
    let plans = matches!(property, "assignedPlans" | "assignedLicenses");
    fields == ALL
        || (plans && fields & PLANS != 0)
        || FIELDS.iter().any(|(name, bit)| *name == property && fields & bit != 0)
}

/// The properties that Graph returns when none are selected.
pub(crate) const DEFAULT_PROPERTIES: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];

/// One property as Graph writes it; `None` for one that users do not have.
pub(crate) fn property(person: &Person, name: &str) -> Option<Value> {
    let (given, surname) = person.name.split_once(' ').unwrap_or((&person.name, ""));
    Some(match name {
        "id" => json!(person.id),
        "displayName" => json!(person.name),
        "givenName" => json!(given),
        "surname" => json!(surname),
        "userPrincipalName" => json!(person.user_principal_name),
        "mail" => json!(person.mail),
        "accountEnabled" => json!(person.enabled),
        "proxyAddresses" => {
            let primary = person.mail.iter().map(|mail| format!("SMTP:{mail}"));
            let others = person.aliases.iter().map(|alias| format!("smtp:{alias}"));
            json!(primary.chain(others).collect::<Vec<_>>())
        }
        "userType" => {
            json!(if person.guest { "Guest" } else { "Member" })
        }
        "assignedPlans" if person.teams => json!([{
            "assignedDateTime": "2025-01-06T09:00:00Z",
            "capabilityStatus": "Enabled",
            "service": "TeamspaceAPI",
            "servicePlanId": "57ff2da0-773e-42df-b2af-ffb7a2317929",
        }]),
        "assignedPlans" | "assignedLicenses" | "businessPhones" | "imAddresses" | "otherMails" => {
            json!([])
        }
        "jobTitle"
        | "mobilePhone"
        | "officeLocation"
        | "preferredLanguage"
        | "department"
        | "employeeId"
        | "usageLocation"
        | "onPremisesUserPrincipalName"
        | "isResourceAccount" => Value::Null,
        _ => return None,
    })
}

/// A user with these properties; `id` always comes.
pub(crate) fn user(person: &Person, properties: &[String]) -> Map<String, Value> {
    let mut user = Map::new();
    for name in properties {
        if let Some(value) = property(person, name) {
            user.insert(name.clone(), value);
        }
    }
    user.entry("id").or_insert_with(|| json!(person.id));
    user
}
