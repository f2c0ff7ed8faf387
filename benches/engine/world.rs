//! Worlds of any size: what the sandbox holds, and what a database is filled with.

use presence_portal::sandbox::{Customer, Quirk, World};

/// How many accounts and users, and how they lie.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Shape {
    /// Customers, each set up and switched on.
    #[arg(long, default_value_t = 1_000)]
    pub accounts: usize,
    /// Users of all accounts together.
    #[arg(long, default_value_t = 100_000)]
    pub users: usize,
    /// How many of them are the first account's; the rest are spread evenly.
    #[arg(long, default_value_t = 0)]
    pub largest: usize,
    /// Of a hundred users, how many have something about them that keeps them from being matched.
    #[arg(long, default_value_t = 0)]
    pub odd: usize,
}

impl Shape {
    /// The same at every call: so a sandbox that is started again knows its customers.
    pub fn world(self) -> World {
        let customers = (0..self.accounts).map(|number| {
            (0..self.people_of(number)).fold(
                Customer::named(&customer_name(number)),
                |customer, person| {
                    customer.employs_with(&person_name(person), self.quirk(number, person))
                },
            )
        });
        World { customers: customers.collect(), ..World::empty() }
    }

    fn people_of(self, number: usize) -> usize {
        if self.largest == 0 || self.accounts == 1 {
            let spare = usize::from(number < self.users % self.accounts);
            return self.users / self.accounts + spare;
        }
        if number == 0 {
            return self.largest;
        }
        let (rest, others) = (self.users.saturating_sub(self.largest), self.accounts - 1);
        rest / others + usize::from(number <= rest % others)
    }

    fn quirk(self, number: usize, person: usize) -> Quirk {
        let place = (number + person) * 37 % 100;
        match place % 4 {
            _ if place >= self.odd => Quirk::None,
            0 => Quirk::NotInEntra,
            1 => Quirk::Disabled,
            // Its other addresses are short, and unique only among the first.
            2 if person < 500 => Quirk::Duplicate,
            _ => Quirk::NoAddress,
        }
    }
}

fn customer_name(number: usize) -> String {
    const TRADES: [&str; 12] = [
        "Dental",
        "Solicitors",
        "Brewing",
        "Vets",
        "Academy",
        "Logistics",
        "Travel",
        "Hotels",
        "Opticians",
        "Surveyors",
        "Bakeries",
        "Garages",
    ];
    const PLACES: [&str; 16] = [
        "Brightwater",
        "Harbour",
        "Calder",
        "Northgate",
        "Oakfield",
        "Meridian",
        "Kestrel",
        "Westmoor",
        "Tamarind",
        "Ashdown",
        "Fenwick",
        "Langley",
        "Redcliffe",
        "Silverdale",
        "Thornbury",
        "Wychwood",
    ];
    let place = PLACES[number % PLACES.len()];
    let trade = TRADES[number / PLACES.len() % TRADES.len()];
    format!("{place} {trade} {}", number + 1)
}

fn person_name(number: usize) -> String {
    const FIRST: [&str; 20] = [
        "Ann", "Bob", "Cleo", "Dev", "Elena", "Farid", "Grace", "Hugo", "Imani", "Jonas", "Keiko",
        "Liam", "Maya", "Noor", "Oscar", "Priya", "Rosa", "Sven", "Tara", "Umar",
    ];
    const LAST: [&str; 25] = [
        "Miller", "Stone", "Hart", "Patel", "Rossi", "Haddad", "Kelly", "Lindgren", "Okafor",
        "Weber", "Tanaka", "Byrne", "Cohen", "Rahman", "Svensson", "Nair", "Dubois", "Alvarez",
        "Holm", "Quinn", "Novak", "Carter", "Demir", "Walsh", "Costa",
    ];
    let first = FIRST[number % FIRST.len()];
    let last = LAST[(number + number / FIRST.len() * 7) % LAST.len()];
    match number / (FIRST.len() * LAST.len()) {
        0 => format!("{first} {last}"),
        round => format!("{first} {last} {round}"),
    }
}
