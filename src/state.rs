//! What every handler and worker is given.
//!
//! Only tools and clients live here, nothing of any feature: so every feature may use it.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::cloudlink::Cloudlink;
use crate::config::Config;
use crate::ids::{AccountId, NodeId};
use crate::kit::clock::Clock;
use crate::kit::password::Passwords;
use crate::kit::secret::Sealer;
use crate::kit::wake::Wakes;
use crate::microsoft::Microsoft;
use crate::post::Post;

#[derive(Clone)]
pub struct AppState {
    pub db: PgPool,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub sealer: Sealer,
    pub passwords: Passwords,
    pub microsoft: Microsoft,
    pub cloudlink: Cloudlink,
    /// The ways out for what people are told.
    pub post: Post,
    /// Ends the rest of an account's worker on this node.
    pub wakes: Wakes<AccountId>,
    /// Ends the rest of whoever does long work on this node.
    pub work: Arc<Notify>,
    /// The portal stops: answers that would go on and on end.
    pub closing: CancellationToken,
    /// Somebody asked for a setup check. A lost ring costs half a minute.
    pub check_bell: Arc<Notify>,
    /// This process, as the other nodes see it.
    pub node: NodeId,
}
