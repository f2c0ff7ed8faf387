//! From what is to be mended to the very page where it is.

use crate::checks::lines::Mend;
use crate::integrations::Integration;
use crate::staff::Viewer;

/// A link below a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub words: &'static str,
    pub href: String,
    /// It leads to Microsoft, in a window of its own.
    pub outside: bool,
}

/// Those of a line that lead somewhere for this viewer.
pub fn links(keys: &[String], integration: &Integration, viewer: &Viewer) -> Vec<Link> {
    let mends = keys.iter().filter_map(|key| Mend::by_key(key));
    mends.filter_map(|mend| link(mend, integration, viewer)).collect()
}

fn link(mend: Mend, integration: &Integration, viewer: &Viewer) -> Option<Link> {
    let account = format!("/accounts/{}", integration.account);
    let inside = |words, href: String| Some(Link { words, href, outside: false });
    match mend {
        Mend::Configure | Mend::Account if !viewer.may_change() => None,
        Mend::Settings if !viewer.is_partner() => None,
        Mend::Configure => {
            let (words, dialog) = match &integration.connection {
                Some(_) => ("Configure Microsoft Teams", "configure"),
                None => ("Complete setup", "setup"),
            };
            inside(words, format!("{account}/integrations/{}/{dialog}", integration.id))
        }
        Mend::Account => inside("Edit the account", format!("{account}/edit")),
        Mend::Settings => inside("Settings", "/settings".to_owned()),
        Mend::Presence => inside("Presence", format!("{account}/presence")),
        Mend::Matching => inside("Match doctor", format!("{account}/presence/matching")),
        Mend::Integrations => inside("Integrations & Apps", format!("{account}/integrations")),
        Mend::Registrations
        | Mend::Registration
        | Mend::Secrets
        | Mend::Permissions
        | Mend::Consent
        | Mend::EnterpriseApps => outside(mend, integration),
    }
}

fn outside(mend: Mend, integration: &Integration) -> Option<Link> {
    let connected = integration.connection.as_ref()?;
    let (cloud, tenant, client) = (connected.cloud, connected.tenant, connected.client);
    let (words, href) = match mend {
        Mend::Registrations => ("App registrations in Entra", cloud.registrations_page()),
        Mend::Registration => {
            ("The registration in Entra", cloud.registration_page(tenant, client))
        }
        Mend::Secrets => ("Certificates & secrets in Entra", cloud.secrets_page(tenant, client)),
        Mend::Permissions => ("API permissions in Entra", cloud.permissions_page(tenant, client)),
        Mend::Consent => ("Grant admin consent", cloud.consent_page(tenant, client, None)),
        Mend::EnterpriseApps => {
            ("Enterprise applications in Entra", cloud.enterprise_apps_page(tenant))
        }
        _ => return None,
    };
    Some(Link { words, href, outside: true })
}
