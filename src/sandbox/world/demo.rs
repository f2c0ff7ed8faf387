//! People with the irregularities that real directories have, and a dozen plausible customers.

use std::sync::Arc;

use chrono::TimeDelta;

use super::names::{FIRST, LAST};
use super::{Customer, Permission, Person, Phone, World, stable};
use crate::ids::CloudlinkUserId;

/// What is odd about somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    None,
    /// The UPN is another address; `mail` is the one CloudLink has.
    UpnDiffers,
    /// CloudLink has an address that is only an alias in Entra.
    Alias,
    /// CloudLink writes the address in capitals.
    Capitals,
    /// Entra has two users with this mail.
    Duplicate,
    /// The Entra account is blocked from signing in.
    Disabled,
    /// The licence is without Teams.
    NoTeams,
    /// Only CloudLink knows them.
    NotInEntra,
    /// Only Entra knows them.
    NoPhone,
    /// A guest of the tenant, with `#EXT#` in the UPN.
    Guest,
    /// Entra has the same name before the `@`, at another domain.
    OtherDomain,
    /// Entra has them under their name, at an address that is nothing like it.
    Renamed,
    /// Entra has them as a guest, and no address but that of a guest.
    GuestOnly,
    /// A phone that belongs to a room: no address.
    NoAddress,
}

impl Customer {
    /// Somebody about whom something is odd.
    #[must_use]
    pub fn employs_with(mut self, name: &str, quirk: Quirk) -> Self {
        let local = stable::slug(name).replace('-', ".");
        let address = format!("{local}@{}", self.domain);
        let person = |upn: &str, mail: Option<&str>| Person {
            id: stable::guid(&["person", &self.name, upn]).into(),
            name: name.to_owned(),
            user_principal_name: upn.to_owned(),
            mail: mail.map(str::to_owned),
            aliases: Vec::new(),
            enabled: quirk != Quirk::Disabled,
            teams: quirk != Quirk::NoTeams,
            guest: matches!(quirk, Quirk::Guest | Quirk::GuestOnly),
        };
        let short = local.replace('.', "").chars().take(8).collect::<String>();
        let other = format!("{short}@{}.onmicrosoft.example", stable::slug(&self.name));
        let people = match quirk {
            Quirk::NotInEntra | Quirk::NoAddress => vec![],
            Quirk::UpnDiffers => vec![person(&other, Some(&address))],
            Quirk::OtherDomain => {
                let moved = format!("{local}@{}.onmicrosoft.example", stable::slug(&self.name));
                vec![person(&moved, Some(&moved))]
            }
            Quirk::Renamed => {
                let staff = format!("staff{}@{}", 100 + self.phones.len(), self.domain);
                vec![person(&staff, Some(&staff))]
            }
            Quirk::GuestOnly => {
                let upn = format!("{}#EXT#@{}", address.replace('@', "_"), self.domain);
                vec![person(&upn, None)]
            }
            Quirk::Alias => {
                let kept = person(&format!("{short}@{}", self.domain), None);
                vec![Person {
                    mail: Some(kept.user_principal_name.clone()),
                    aliases: vec![address.clone()],
                    ..kept
                }]
            }
            Quirk::Duplicate => {
                vec![
                    person(&other, Some(&address)),
                    person(&format!("{short}2@{}", self.domain), Some(&address)),
                ]
            }
            Quirk::Guest => {
                let upn = format!("{}#EXT#@{}", address.replace('@', "_"), self.domain);
                vec![person(&upn, Some(&address))]
            }
            _ => vec![person(&address, Some(&address))],
        };
        self.people.extend(people.into_iter().map(Arc::new));
        if quirk != Quirk::NoPhone {
            let user = stable::guid(&["phone", &self.name, name]).to_string();
            let email = match quirk {
                Quirk::NoAddress => String::new(),
                Quirk::Capitals => address.to_uppercase(),
                _ => address,
            };
            let phone = CloudlinkUserId::parse(&user).map(|user| Phone {
                user,
                name: name.to_owned(),
                email,
                extension: (2001 + self.phones.len()).to_string(),
            });
            self.phones.extend(phone.map(Arc::new));
        }
        self
    }

    /// Fills the customer with as many people, none of them odd.
    #[must_use]
    pub fn of_size(mut self, people: usize) -> Self {
        self.phones.reserve_exact(people);
        self.people.reserve_exact(people);
        (0..people).fold(self, |customer, number| customer.employs(&name(0, number)))
    }

    fn at(mut self, street: &str, postal_code: &str, city: &str, country: &str) -> Self {
        street.clone_into(&mut self.street);
        postal_code.clone_into(&mut self.postal_code);
        city.clone_into(&mut self.city);
        country.clone_into(&mut self.country);
        self
    }

    fn speaking(mut self, language: &str) -> Self {
        language.clone_into(&mut self.language);
        self
    }

    /// The people of a demo customer: every list of quirks repeats after thirteen.
    fn with_people(self, count: usize, shift: usize, quirks: &[(usize, Quirk)]) -> Self {
        (0..count).fold(self, |customer, number| {
            let quirk = quirks.iter().find(|(place, _)| *place == number);
            customer.employs_with(&name(shift, number), quirk.map_or(Quirk::None, |(_, q)| *q))
        })
    }
}

/// The `number`th name of a list that begins at another place for each `shift`.
fn name(shift: usize, number: usize) -> String {
    let place = shift * 17 + number;
    let first = FIRST.get(place % FIRST.len()).copied().unwrap_or("Ann");
    let last = LAST.get((place + place / FIRST.len() * 7 + shift * 5) % LAST.len()).copied();
    let last = last.unwrap_or("Miller");
    let round = number / (FIRST.len() * LAST.len());
    if round == 0 { format!("{first} {last}") } else { format!("{first} {last} {round}") }
}

impl World {
    /// The customers of the demo: most are well, some have what real ones have.
    pub fn demo() -> Self {
        use Quirk::{
            Alias, Capitals, Disabled, Duplicate, Guest, GuestOnly, NoAddress, NoPhone, NoTeams,
            NotInEntra, OtherDomain, Renamed, UpnDiffers,
        };
        let customers = [
            Customer::named("Brightwater Dental")
                .at("14 Quayside", "BS1 4QA", "Bristol", "United Kingdom")
                .with_people(12, 0, &[(4, UpnDiffers), (7, Alias), (9, NotInEntra)]),
            Customer::named("Harbour & Finch Solicitors")
                .at("3 Chancery Court", "LS1 2HT", "Leeds", "United Kingdom")
                .granting(Permission::ReadApplications)
                .with_people(
                    24,
                    1,
                    &[(3, Capitals), (8, Duplicate), (13, Disabled), (20, NoPhone)],
                ),
            Customer::named("Calder Valley Brewing")
                .at("Mill Lane", "HX7 8EN", "Hebden Bridge", "United Kingdom")
                .with_people(9, 2, &[(5, NoAddress), (6, NoTeams)]),
            Customer::named("Northgate Vets")
                .at("88 Northgate", "CH1 2HT", "Chester", "United Kingdom")
                .with_people(15, 3, &[(2, Alias), (11, UpnDiffers)]),
            Customer::named("Oakfield Academy")
                .at("Oakfield Drive", "NG9 4AB", "Nottingham", "United Kingdom")
                .with_people(
                    40,
                    4,
                    &[
                        (3, OtherDomain),
                        (6, Disabled),
                        (9, Renamed),
                        (12, NoTeams),
                        (18, Guest),
                        (22, GuestOnly),
                        (25, NotInEntra),
                        (30, Duplicate),
                        (34, OtherDomain),
                    ],
                ),
            Customer::named("Lindqvist Logistik")
                .at("Hamngatan 21", "411 06", "Göteborg", "Sweden")
                .speaking("sv-SE")
                .with_people(28, 5, &[(1, UpnDiffers), (2, UpnDiffers), (3, UpnDiffers)]),
            Customer::named("Meridian Travel")
                .at("200 Rue de la Loi", "1040", "Brussels", "Belgium")
                .speaking("fr-BE")
                .without(Permission::ReadWritePresence)
                .with_people(17, 6, &[(10, NoPhone)]),
            Customer::named("Papadakis Olive Oil")
                .at("Akti Miaouli 7", "185 35", "Piraeus", "Greece")
                .with_people(8, 7, &[]),
            Customer::named("St. Brigid's Hospice")
                .at("Church Road", "D04 X2P1", "Dublin", "Ireland")
                .speaking("en-IE")
                .with_people(
                    33,
                    8,
                    &[(4, Duplicate), (5, Alias), (11, Renamed), (14, NotInEntra), (22, NoAddress)],
                ),
            Customer::named("Tamarind Hotels")
                .at("50 Deansgate", "M3 2FN", "Manchester", "United Kingdom")
                .with_people(36, 9, &[(9, NoTeams), (10, NoTeams), (30, Capitals)]),
            Customer::named("Westmoor Building Society")
                .at("1 Market Square", "LA9 4TN", "Kendal", "United Kingdom")
                .with_secret_for(TimeDelta::days(9))
                .with_people(21, 10, &[(16, Guest)]),
            Customer::named("Kestrel Aviation")
                .at("Hangar 4, Airport Way", "CB22 3TQ", "Cambridge", "United Kingdom")
                .with_secret_for(TimeDelta::days(-3))
                .with_people(14, 11, &[(8, UpnDiffers)]),
        ];
        Self { customers: customers.into(), ..Self::empty() }
    }
}
