//! The clouds in which Teams lives, and where each keeps its doors.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::ids::{ClientId, TenantId};

/// A Microsoft cloud with Teams presence. Tokens of one are worth nothing in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// The public cloud, GCC included.
    #[default]
    Global,
    /// US Government L4.
    GccHigh,
    /// US Government L5.
    Dod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose one of the clouds in the list.")]
pub struct UnknownCloud;

impl Cloud {
    pub const ALL: [Self; 3] = [Self::Global, Self::GccHigh, Self::Dod];

    /// As the database and forms write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::GccHigh => "gcc-high",
            Self::Dod => "dod",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Global => "Global",
            Self::GccHigh => "GCC High",
            Self::Dod => "DoD",
        }
    }

    pub(super) fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::GccHigh | Self::Dod => "https://login.microsoftonline.us",
        }
    }

    pub(super) fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::GccHigh => "https://graph.microsoft.us",
            Self::Dod => "https://dod-graph.microsoft.us",
        }
    }

    /// What a token is asked for; the cloud's own, even when its hosts are overridden.
    pub(super) fn scope(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com/.default",
            Self::GccHigh => "https://graph.microsoft.us/.default",
            Self::Dod => "https://dod-graph.microsoft.us/.default",
        }
    }

    fn entra(self) -> &'static str {
        match self {
            Self::Global => "https://entra.microsoft.com",
            Self::GccHigh | Self::Dod => "https://entra.microsoft.us",
        }
    }

    /// The Entra page that lists the app registrations, and offers to make one.
    pub fn registrations_page(self) -> String {
        format!("{}/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade", self.entra())
    }

    /// The Entra page of an app registration, with its ids.
    pub fn registration_page(self, tenant: TenantId, client: ClientId) -> String {
        self.registration(tenant, client, "Overview")
    }

    /// The Entra page with the secrets of an app registration.
    pub fn secrets_page(self, tenant: TenantId, client: ClientId) -> String {
        self.registration(tenant, client, "Credentials")
    }

    /// The Entra page with the permissions of an app registration, and the consent to them.
    pub fn permissions_page(self, tenant: TenantId, client: ClientId) -> String {
        self.registration(tenant, client, "CallAnAPI")
    }

    fn registration(self, tenant: TenantId, client: ClientId, blade: &str) -> String {
        let entra = self.entra();
        format!(
            "{entra}/{tenant}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/{blade}/appId/{client}/isMSAApp~/false"
        )
    }

    /// The Entra page that lists the enterprise applications of a tenant.
    pub fn enterprise_apps_page(self, tenant: TenantId) -> String {
        format!(
            "{}/{tenant}/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview",
            self.entra()
        )
    }

    /// Where a tenant's administrator consents to the app's permissions.
    ///
    /// Microsoft leads back to `back`, which must be a redirect URI of the app registration.
    pub fn consent_page(
        self,
        tenant: TenantId,
        client: ClientId,
        back: Option<(&Url, &str)>,
    ) -> String {
        let mut page = format!("{}/{tenant}/adminconsent?client_id={client}", self.login());
        if let Some((back, state)) = back {
            let back = utf8_percent_encode(back.as_str(), NON_ALPHANUMERIC);
            let state = utf8_percent_encode(state, NON_ALPHANUMERIC);
            page = format!("{page}&redirect_uri={back}&state={state}");
        }
        page
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Cloud {
    type Err = UnknownCloud;

    fn from_str(text: &str) -> Result<Self, UnknownCloud> {
        Self::ALL.into_iter().find(|cloud| cloud.as_str() == text).ok_or(UnknownCloud)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_has_its_own_doors() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.as_str().parse(), Ok(cloud));
            assert_eq!(cloud.scope(), format!("{}/.default", cloud.graph()));
        }
        assert_eq!("china".parse::<Cloud>(), Err(UnknownCloud));
    }

    #[test]
    fn consent_is_asked_for_with_the_way_back_escaped() {
        let id = "3f1b9a52-7c4e-4f0a-9b1d-2f6f3f0f8a11";
        let back = Url::parse("https://portal.example.com/consent?x=1").unwrap();
        let page = Cloud::GccHigh.consent_page(
            id.parse().unwrap(),
            id.parse().unwrap(),
            Some((&back, "a&b")),
        );
        let page = Url::parse(&page).unwrap();
        assert_eq!(page.host_str(), Some("login.microsoftonline.us"));
        let asked: Vec<_> = page.query_pairs().collect();
        assert_eq!(asked[1].1, back.as_str());
        assert_eq!(asked[2].1, "a&b");
    }
}
