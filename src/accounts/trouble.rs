//! What is wrong with an account, in words.

use crate::{cloudlink, microsoft};

/// The title of a cause by its key. A newer node may write a key that this one does not know.
pub fn title(key: &str) -> &'static str {
    let microsoft = microsoft::Cause::by_key(key).map(microsoft::Cause::title);
    let cloudlink = || cloudlink::Cause::by_key(key).map(cloudlink::Cause::title);
    let ours = || match key {
        "feed-silent" => Some("CloudLink’s feed is silent"),
        "directory-shrunk" => Some("Most of the directory has gone"),
        _ => None,
    };
    microsoft.or_else(cloudlink).or_else(ours).unwrap_or("Presence sync needs a look")
}
