//! What a sandbox begins with.

use std::collections::HashSet;

use presence_portal::sandbox::{Permission, World};

#[test]
fn the_demo_is_the_same_at_every_start_and_nobody_is_in_it_twice() {
    let (world, again) = (World::demo(), World::demo());
    assert_eq!(format!("{world:?}"), format!("{again:?}"));
    assert_eq!(world.customers.len(), 12);
    let mut seen = HashSet::new();
    for (customer, twin) in world.customers.iter().zip(&again.customers) {
        assert_eq!(customer.app.secret.value.reveal(), twin.app.secret.value.reveal());
        assert_eq!(customer.app.secret.value.reveal().len(), 40);
        assert!((8..=41).contains(&customer.phones.len()), "{}", customer.name);
        assert!(
            seen.insert(customer.account.to_string()) && seen.insert(customer.tenant.to_string())
        );
        for phone in &customer.phones {
            assert!(seen.insert(phone.user.to_string()), "{} of {}", phone.name, customer.name);
        }
        for person in &customer.people {
            assert!(seen.insert(person.id.to_string()), "{} of {}", person.name, customer.name);
            assert!(
                seen.insert(person.user_principal_name.clone()),
                "{}",
                person.user_principal_name
            );
        }
    }
    let meridian = world.customer("Meridian Travel").unwrap();
    assert!(!meridian.app.permissions.contains(&Permission::ReadWritePresence));
    assert!(world.customer("Brightwater Dental").unwrap().phone("Ann Miller").is_some());
}

#[test]
fn a_large_world_has_everybody_once() {
    let world = World::of_size(3, 3_000);
    for customer in &world.customers {
        let upns: HashSet<_> = customer.people.iter().map(|p| &p.user_principal_name).collect();
        assert_eq!(upns.len(), 3_000);
    }
}
