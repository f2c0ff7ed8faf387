//! Stretches of road that many journeys share.

use std::time::Duration;

use presence_portal::ids::{CloudlinkUserId, EntraUserId};
use presence_portal::sandbox::{Customer, Person, Phone, Tile};

use super::{Portal, Visitor, matched};

pub const SWITCH: &str = "Sync presence from CloudLink to MS Teams";

/// Somebody signed in, and the customer they look after.
pub struct Journey {
    pub portal: Portal,
    pub visitor: Visitor,
    pub customer: Customer,
}

impl Journey {
    /// Signed in, and nothing more.
    pub async fn begin() -> Self {
        let portal = Portal::start().await;
        let visitor = Visitor::at(&portal.url).await;
        Self::with(portal, visitor).await
    }

    pub async fn begin_without_scripts() -> Self {
        let portal = Portal::start().await;
        let visitor = Visitor::without_scripts_at(&portal.url).await;
        Self::with(portal, visitor).await
    }

    async fn with(portal: Portal, visitor: Visitor) -> Self {
        let customer = portal.customer();
        portal.sign_in(&visitor).await;
        Self { portal, visitor, customer }
    }

    /// The account is added and Microsoft Teams is set up; its panel is open.
    pub async fn set_up(self) -> Self {
        add_account(&self.visitor, &self.customer).await;
        set_up(&self.visitor, &self.customer, self.customer.app.secret.value.reveal()).await;
        self
    }

    /// And presence sync is on, with users matched and events coming.
    pub async fn syncing(self) -> Self {
        let journey = self.set_up().await;
        journey.switch_on().await;
        journey
    }

    /// The account is set up and on the release before the newest; its panel is open.
    pub async fn behind(self) -> Self {
        let journey = self.set_up().await;
        journey.portal.set_back().await;
        journey.open("/integrations").await;
        journey
    }

    pub async fn switch_on(&self) {
        self.visitor.press("Available features").await;
        self.visitor.flip(SWITCH).await;
        self.portal.feed_is_alive(&self.customer).await;
    }

    /// Opens a page of the account.
    pub async fn open(&self, page: &str) {
        self.visitor.visit(&self.portal.account_path(&self.customer.name, page).await).await;
    }

    /// Opens a page of its integration.
    pub async fn open_integration(&self, page: &str) {
        self.visitor.visit(&self.portal.integration_path(&self.customer.name, page).await).await;
    }

    /// On the page of renewal links: makes one, and gives its address.
    /// The page may still show the one before, until it is answered.
    pub async fn make_a_renewal_link(&self) -> String {
        let shown = async || {
            let read = "return document.querySelector('.copy__text')?.textContent ?? ''";
            self.visitor.run(read, vec![]).await.as_str().unwrap_or_default().to_owned()
        };
        let before = shown().await;
        self.visitor.press("Make a renewal link").await;
        let another =
            async || Some(shown().await).filter(|link| !link.is_empty() && *link != before);
        let link = self.visitor.until("another link", another).await;
        self.visitor.sees("Send this link now").await;
        link
    }

    /// What the first button to copy something would copy.
    pub async fn copied(&self) -> String {
        let read = "return document.querySelector('.copy__text').textContent";
        self.visitor.run(read, vec![]).await.as_str().unwrap().to_owned()
    }

    /// On Configure: takes the certificate that is to follow to Entra, and comes back. Its text.
    pub async fn upload_next_certificate(&self) -> String {
        let Self { portal, visitor, customer } = self;
        let read = "const file = new XMLHttpRequest(); file.open('GET', arguments[0], false); \
            file.send(); return file.responseText";
        let file = portal.integration_path(&customer.name, "/certificate/next").await;
        let pem = visitor.run(read, vec![file.into()]).await.as_str().unwrap().to_owned();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
        let page = portal.sandbox.page_url();
        let page = page.as_str().trim_end_matches('/');
        visitor.visit(&format!("{page}/customers/{}/switches", customer.tenant)).await;
        visitor.fill("Certificate, as text", &pem).await;
        visitor.press("Upload certificate").await;
        visitor.sees("Delete all certificates").await;
        self.open_integration("/configure").await;
        pem
    }

    /// Adds somebody whom CloudLink has under one address, and Entra under another.
    pub fn somebody_fits_nobody(&self, name: &str) {
        let (sandbox, customer) = (&self.portal.sandbox, &self.customer);
        let slug = name.to_lowercase().replace(' ', "-");
        let phone = Phone {
            user: format!("phone-{slug}").parse().unwrap(),
            name: name.to_owned(),
            email: format!("u-{slug}@{}", customer.domain),
            extension: "99".to_owned(),
        };
        sandbox.add_phone(&customer.account, phone).unwrap();
        let last = slug.split('-').next_back().unwrap();
        let address = format!("{last}@elsewhere.example");
        let person = Person {
            id: uuid::Uuid::new_v4().into(),
            name: name.to_owned(),
            user_principal_name: address.clone(),
            mail: Some(address),
            ..(*customer.people[0]).clone()
        };
        sandbox.add_person(customer.tenant, person).unwrap();
    }

    /// Somebody whose telephone and tile are one person's.
    pub fn somebody(&self) -> (CloudlinkUserId, EntraUserId) {
        matched(&self.customer)
    }

    /// Its secret ends, and so do its tokens; and a lifted telephone has the portal find that out.
    pub fn the_secret_expires(&self) {
        let Self { portal, customer, .. } = self;
        portal.sandbox.expire_secrets(customer.tenant).unwrap();
        portal.sandbox.revoke_tokens(customer.tenant).unwrap();
        let (phone, _) = self.somebody();
        portal.sandbox.lift(&customer.account, &phone).unwrap();
    }

    /// Lifts somebody's telephone, and waits for their tile.
    pub async fn a_call_turns_a_tile_red(&self, within: Duration) {
        let (phone, person) = self.somebody();
        self.portal.sandbox.lift(&self.customer.account, &phone).unwrap();
        self.portal.tile_becomes(&self.customer, person, in_a_call, within).await;
    }
}

pub fn in_a_call(tile: &Tile) -> bool {
    tile.activity == "InACall"
}

pub async fn add_account(visitor: &Visitor, customer: &Customer) {
    visitor.visit("/accounts").await;
    visitor.press("Add account").await;
    visitor.fill("Customer name", &customer.name).await;
    visitor.fill("CloudLink account id", customer.account.as_str()).await;
    visitor.fill("Support contact e-mails", "help@customer.example").await;
    visitor.press("Add account").await;
    visitor.sees("Customer information").await;
}

pub async fn add_teams(visitor: &Visitor) {
    visitor.press("+ Add new").await;
    visitor.press("3rd party").await;
    visitor.press("Add").await;
    visitor.press("Done").await;
    visitor.sees("Microsoft Teams").await;
}

pub async fn fill_set_up(visitor: &Visitor, customer: &Customer, secret: &str) {
    visitor.fill("Name", "Teams of the customer").await;
    visitor.fill("Tenant Id", &customer.tenant.to_string()).await;
    visitor.fill("Application (Client) Id", &customer.app.client.to_string()).await;
    visitor.fill("Client Secret (Value)", secret).await;
}

pub async fn set_up(visitor: &Visitor, customer: &Customer, secret: &str) {
    add_teams(visitor).await;
    visitor.press("Complete setup").await;
    fill_set_up(visitor, customer, secret).await;
    visitor.press("Save").await;
    visitor.sees("Ready").await;
}
