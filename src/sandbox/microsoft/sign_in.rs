//! Who gets a token, and the AADSTS row that everybody else gets.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::apps::{Registration, Standing};
use super::assertion;
use super::tokens::Claims;
use super::{Tenant, TenantState};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What an app posts to the token endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) grant_type: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) client_assertion: Option<String>,
    pub(super) client_assertion_type: Option<String>,
    /// Where it was posted: the audience of an assertion.
    pub(super) endpoint: String,
    pub(super) scope: Option<String>,
}

/// One refusal, as the token endpoint words it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Aadsts {
    pub(super) number: u32,
    pub(super) error: &'static str,
    pub(super) status: u16,
    pub(super) text: String,
}

impl Aadsts {
    pub(super) fn new(
        number: u32,
        error: &'static str,
        status: u16,
        text: impl Into<String>,
    ) -> Self {
        Self { number, error, status, text: text.into() }
    }

    fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::new(900_144, "invalid_request", 400, text)
    }

    pub(super) fn malformed_tenant(name: &str) -> Self {
        let text = format!(
            "Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."
        );
        Self::new(900_023, "invalid_request", 400, text)
    }

    pub(super) fn unknown_tenant(name: &str) -> Self {
        let text = format!(
            "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are \
             signing into the correct cloud. Check with your subscription administrator, this may \
             happen if there are no active subscriptions for the tenant."
        );
        Self::new(90_002, "invalid_request", 400, text)
    }
}

/// Takes the request through the checks in the order in which login makes them.
pub(super) fn sign_in(
    tenant: &Tenant,
    state: &TenantState,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Claims, Aadsts> {
    let manners = &state.manners;
    if manners.login_trouble {
        let text = "A transient error has occurred. Please try again.";
        return Err(Aadsts::new(90_033, "temporarily_unavailable", 503, text));
    }
    match request.grant_type.as_deref() {
        None => return Err(Aadsts::missing("grant_type")),
        Some("client_credentials") => {}
        Some(other) => {
            let text = format!("The app requested an unsupported grant type '{other}'.");
            return Err(Aadsts::new(70_003, "unsupported_grant_type", 400, text));
        }
    }
    let client = request.client_id.as_deref().ok_or_else(|| Aadsts::missing("client_id"))?;
    let resource = resource(tenant, request.scope.as_deref())?;
    let app = client.parse().ok().and_then(|client| state.app(client)).ok_or_else(|| {
        let text = format!(
            "Application with identifier '{client}' was not found in the directory '{}'. This can \
             happen if the application has not been installed by the administrator of the tenant or \
             consented to by any user in the tenant. You may have sent your authentication request \
             to the wrong tenant.",
            tenant.name
        );
        Aadsts::new(700_016, "unauthorized_client", 400, text)
    })?;
    let key = proved(app, request, now)?;
    if app.standing == Standing::WithoutConsent {
        let text = format!(
            "The client application {client} is missing service principal in the tenant {}. See \
             instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
            tenant.id
        );
        return Err(Aadsts::new(7_000_229, "invalid_client", 401, text));
    }
    if app.standing == Standing::Disabled {
        let text = format!("Application '{client}'({}) is disabled.", app.name);
        return Err(Aadsts::new(7_000_112, "unauthorized_client", 400, text));
    }
    if manners.conditional_access {
        let text = "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.";
        return Err(Aadsts::new(53_003, "invalid_grant", 400, text));
    }
    let issued = now.timestamp();
    Ok(Claims {
        aud: resource,
        iss: format!("https://sts.windows.net/{}/", tenant.id),
        iat: issued,
        nbf: issued,
        exp: (now + manners.token_lifetime).timestamp(),
        app_displayname: app.name.clone(),
        appid: app.client,
        idtyp: "app".to_owned(),
        roles: app.permissions.iter().map(|permission| permission.role().to_owned()).collect(),
        tid: tenant.id,
        sandbox_key: key,
        ver: "1.0".to_owned(),
    })
}

/// The id of the key with which the app has proved itself: a secret, or a signed assertion.
fn proved(app: &Registration, request: &Request, now: DateTime<Utc>) -> Result<Uuid, Aadsts> {
    let client = app.client;
    if let Some(assertion) = request.client_assertion.as_deref() {
        if request.client_assertion_type.as_deref() != Some(JWT_BEARER) {
            return Err(Aadsts::missing("client_assertion_type"));
        }
        return assertion::verify(app, client, assertion, &request.endpoint, now);
    }
    let value = request.client_secret.as_deref().filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| {
        let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        Aadsts::new(7_000_218, "invalid_client", 401, text)
    })?;
    let secret = app.secret(value).ok_or_else(|| {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the \
             client secret value, not the client secret ID, for a secret added to app '{client}'."
        );
        Aadsts::new(7_000_215, "invalid_client", 401, text)
    })?;
    if secret.until <= now {
        let text = format!(
            "The provided client secret keys for app '{client}' are expired. Visit the Azure portal \
             to create new keys for your app: https://aka.ms/NewClientSecret, or consider using \
             certificate credentials for added security: https://aka.ms/certCreds."
        );
        return Err(Aadsts::new(7_000_222, "invalid_client", 401, text));
    }
    Ok(secret.id)
}

/// The resource of the scope: Graph in the tenant's own cloud.
fn resource(tenant: &Tenant, scope: Option<&str>) -> Result<String, Aadsts> {
    let scope = scope.ok_or_else(|| Aadsts::missing("scope"))?;
    let resource = scope.strip_suffix("/.default").ok_or_else(|| {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a \
             scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        Aadsts::new(1_002_012, "invalid_scope", 400, text)
    })?;
    let host = resource.strip_prefix("https://").unwrap_or_default();
    if host == tenant.graph_host {
        return Ok(resource.to_owned());
    }
    let of_another_cloud =
        ["graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us"].contains(&host);
    if of_another_cloud {
        return Err(Aadsts::unknown_tenant(&tenant.id.to_string()));
    }
    let text = format!(
        "The resource principal named {resource} was not found in the tenant named {}. This can \
         happen if the application has not been installed by the administrator of the tenant or \
         consented to by any user in the tenant. You might have sent your authentication request to \
         the wrong tenant.",
        tenant.name
    );
    Err(Aadsts::new(500_011, "invalid_resource", 400, text))
}
