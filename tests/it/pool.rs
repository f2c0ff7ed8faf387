//! The pool hands out connections as if nobody had had them before.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use presence_portal::kit::db::pool;
use sqlx::{Connection, Executor, PgConnection};

use crate::support::database;

#[tokio::test]
async fn what_is_written_after_somebody_gave_up_beginning_is_there_for_everybody() {
    let options = database::fresh_options().await;
    let mut elsewhere = PgConnection::connect_with(&options).await.unwrap();
    let db = pool(1).connect_with(options).await.unwrap();
    db.execute("CREATE TABLE notes (number int)").await.unwrap();
    for number in 0..50 {
        // Whoever is told to stop, or is out of time, gives up wherever it is: here, where BEGIN
        // is on its way.
        {
            let mut begun = pin!(db.begin());
            poll_fn(|context| Poll::Ready(begun.as_mut().poll(context).is_pending())).await;
        }
        sqlx::query("INSERT INTO notes VALUES ($1)").bind(number).execute(&db).await.unwrap();
        let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM notes")
            .fetch_one(&mut elsewhere)
            .await
            .unwrap();
        assert_eq!(seen, i64::from(number) + 1);
    }
}
