//! Names for people who do not exist.

pub(super) const FIRST: [&str; 48] = [
    "Ann", "Bob", "Cleo", "Dev", "Elena", "Farid", "Grace", "Hugo", "Imani", "Jonas", "Keiko",
    "Liam", "Maya", "Noor", "Oscar", "Priya", "Quentin", "Rosa", "Sven", "Tara", "Umar", "Vera",
    "Wes", "Xenia", "Yusuf", "Zoe", "Adele", "Bruno", "Chidi", "Dana", "Emil", "Freya", "Gareth",
    "Hana", "Ivan", "Jade", "Karim", "Lucia", "Marek", "Nia", "Olaf", "Petra", "Rafael", "Saoirse",
    "Theo", "Uma", "Viktor", "Wanda",
];

pub(super) const LAST: [&str; 48] = [
    "Miller", "Stone", "Hart", "Patel", "Rossi", "Haddad", "Kelly", "Lindgren", "Okafor", "Weber",
    "Tanaka", "Byrne", "Cohen", "Rahman", "Svensson", "Nair", "Dubois", "Alvarez", "Holm", "Quinn",
    "Siddiqui", "Novak", "Carter", "Petrova", "Demir", "Walsh", "Laurent", "Costa", "Eze", "Levin",
    "Berg", "Nilsson", "Hughes", "Sato", "Horvat", "Morgan", "Aziz", "Marino", "Kowalski", "Owens",
    "Larsen", "Vogel", "Santos", "Murphy", "Papas", "Iyer", "Orlov", "Brandt",
];
