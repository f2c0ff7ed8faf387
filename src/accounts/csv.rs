//! Activity as a file for a spreadsheet: written as it is read, however much there is.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::stream;
use sqlx::PgPool;

use crate::audit::{self, Record, Wanted};

const AT_ONCE: i64 = 500;
const HEAD: [&str; 7] = ["When (UTC)", "Who", "From", "Account", "Action", "What", "Changes"];

/// Everything that is wanted, newest first.
pub fn download(db: PgPool, wanted: Wanted, now: DateTime<Utc>) -> Response {
    let name = format!("attachment; filename=\"activity-{}.csv\"", now.format("%Y-%m-%d"));
    let rows = stream::try_unfold(Some((wanted, true)), move |rest| {
        let db = db.clone();
        async move {
            let Some((wanted, is_first)) = rest else { return anyhow::Ok(None) };
            let records = audit::records(&mut *db.acquire().await?, &wanted, AT_ONCE).await?;
            let part = written(is_first, &records)?;
            let rest = records
                .last()
                .filter(|_| i64::try_from(records.len()) == Ok(AT_ONCE))
                .map(|last| (Wanted { before: Some(last.id), ..wanted }, false));
            Ok(Some((part, rest)))
        }
    });
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, &name)];
    (headers, Body::from_stream(rows)).into_response()
}

fn written(with_head: bool, records: &[Record]) -> anyhow::Result<Vec<u8>> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    if with_head {
        sheet.write_record(HEAD)?;
    }
    for record in records {
        let changes = record.changes.in_words().into_iter();
        let changes: Vec<_> =
            changes.map(|(field, old, new)| format!("{field}: {old} → {new}")).collect();
        sheet.write_record([
            record.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            harmless(&record.actor),
            harmless(&record.address),
            harmless(record.account_name.as_deref().unwrap_or_default()),
            harmless(&record.action),
            harmless(&record.summary),
            harmless(&changes.join("; ")),
        ])?;
    }
    Ok(sheet.into_inner()?)
}

/// A spreadsheet takes what begins like this for a formula, and runs it.
pub fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_cell_begins_like_a_formula(text in "[=+@\t\r\n-]{0,3}.*") {
            prop_assert!(!harmless(&text).starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
        }
    }
}
