//! The shape that lets the schema be distributed by account: `account_id` comes first in the
//! primary key of every table of an account, and stands in every key that must be unique.

use crate::support::Stage;

/// Keys without an account, and why they may be: their tables stay in one place.
const EXCEPTIONS: [&str; 3] = [
    // Read over all accounts, newest first; some of its entries belong to none.
    "activity_pkey",
    // A way to tell people of trouble, with all accounts or with one.
    "channels_pkey",
    // A webhook's key is how its account is found; there is one row for each account.
    "presence_accounts_hook_key",
];

#[tokio::test]
async fn the_account_comes_first_in_every_key_of_an_account() {
    let stage = Stage::new().await;
    let keys: Vec<(String, String, bool, String)> = sqlx::query_as(
        "SELECT t.relname::text, k.relname::text, i.indisprimary,
                string_agg(a.attname::text, ' ' ORDER BY array_position(i.indkey::int2[], a.attnum))
         FROM pg_class t
         JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique
         JOIN pg_class k ON k.oid = i.indexrelid
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey)
         WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p')
             AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = t.oid AND o.attname = 'account_id'
                 AND NOT o.attisdropped)
         GROUP BY 1, 2, 3 ORDER BY 1, 2",
    )
    .fetch_all(&stage.db)
    .await
    .unwrap();
    assert!(keys.len() > 15, "{keys:?}");
    let astray: Vec<_> = keys
        .iter()
        .filter(|(_, key, primary, columns)| {
            let mut columns = columns.split(' ');
            let well = if *primary {
                columns.next() == Some("account_id")
            } else {
                columns.any(|column| column == "account_id")
            };
            !well && !EXCEPTIONS.contains(&key.as_str())
        })
        .collect();
    assert!(astray.is_empty(), "{astray:#?}");

    let without: Vec<String> = sqlx::query_scalar(
        "SELECT t.relname::text FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
         WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p') AND a.attname = 'account_id'
             AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)",
    )
    .fetch_all(&stage.db)
    .await
    .unwrap();
    assert!(without.is_empty(), "tables without a primary key: {without:?}");
}
