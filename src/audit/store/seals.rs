//! The seals of Activity: added behind those who write, and looked through from the beginning.

use std::collections::HashMap;

use sqlx::{Connection, PgConnection, PgExecutor, PgPool};
use subtle::ConstantTimeEq;

use crate::audit::chain::{Anchor, BEGINNING, Chain, OWNER, Seal, Written};
use crate::kit::secret::{Sealed, Sealer};
use crate::kit::token;

const AT_ONCE: i64 = 1000;
/// More would only repeat what the first ones say.
const MOST_BREAKS: usize = 5;

/// Where the chain ends.
struct Head {
    key: Sealed,
    seq: i64,
    seal: Vec<u8>,
    mark: Vec<u8>,
}

/// Seals what has been written since, and says how many entries that were.
///
/// One process at a time; another finds nothing to do.
pub async fn seal_waiting(db: &PgPool, sealer: &Sealer) -> anyhow::Result<usize> {
    if !sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM activity_unsealed) AS "waiting!""#)
        .fetch_one(db)
        .await?
    {
        return Ok(0);
    }
    let mut tx = db.begin().await?;
    begin_chain(&mut tx, sealer).await?;
    let head = sqlx::query_as!(
        Head,
        r#"SELECT key AS "key: Sealed", seq, seal, mark FROM activity_head FOR UPDATE SKIP LOCKED"#
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(head) = head else { return Ok(0) };
    let entries = sqlx::query_as!(
        Written,
        r#"
        SELECT id, at, staff_id, actor, address, account_id, account_name, action, summary, changes
        FROM activity_unsealed JOIN activity ON id = activity_id ORDER BY id LIMIT $1
        "#,
        AT_ONCE,
    )
    .fetch_all(&mut *tx)
    .await?;
    let chain = Chain::new(&sealer.open(OWNER, &head.key)?)?;
    let (mut seq, mut last) = (head.seq, seal_of(&head.seal));
    let (mut seqs, mut ids, mut seals) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &entries {
        seq += 1;
        last = chain.seal(&last, entry);
        seqs.push(seq);
        ids.push(entry.id);
        seals.push(last.to_vec());
    }
    sqlx::query!(
        "INSERT INTO activity_seals (seq, activity_id, seal)
         SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bytea[])",
        &seqs,
        &ids,
        &seals,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("DELETE FROM activity_unsealed WHERE activity_id = ANY($1)", &ids)
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "UPDATE activity_head SET seq = $1, seal = $2, mark = $3",
        seq,
        &last[..],
        &chain.mark(seq, &last)[..],
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(entries.len())
}

/// Makes the key and the end of an empty chain, unless there is one.
async fn begin_chain(tx: &mut PgConnection, sealer: &Sealer) -> anyhow::Result<()> {
    let begun = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM activity_head) AS "begun!""#);
    if begun.fetch_one(&mut *tx).await? {
        return Ok(());
    }
    let key = token::random();
    let mark = Chain::new(&key)?.mark(0, &BEGINNING);
    sqlx::query!(
        "INSERT INTO activity_head (key, seq, seal, mark) VALUES ($1, 0, $2, $3) ON CONFLICT DO NOTHING",
        sealer.seal(OWNER, &key)? as Sealed,
        &BEGINNING[..],
        &mark[..],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A seal as the database keeps it. One of another length fits nothing.
fn seal_of(bytes: &[u8]) -> Seal {
    bytes.try_into().unwrap_or([0xff; 32])
}

/// What a look through the whole chain found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub sealed: i64,
    /// Written a moment ago.
    pub waiting: i64,
    /// The newest sealed entry.
    pub end: Option<Anchor>,
    /// Where it breaks, the oldest first, each in a sentence; at most a few.
    pub breaks: Vec<String>,
}

impl Verdict {
    fn note(&mut self, sentence: String) {
        if self.breaks.len() < MOST_BREAKS {
            self.breaks.push(sentence);
        }
    }
}

/// Looks through the chain from its beginning. `kept` is what an earlier look printed.
pub async fn verify(
    db: &mut PgConnection,
    sealer: &Sealer,
    kept: Option<&Anchor>,
) -> anyhow::Result<Verdict> {
    // One picture of it all, although the portal may be sealing at the moment.
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut verdict = Verdict::default();
    let head =
        sqlx::query_as!(Head, r#"SELECT key AS "key: Sealed", seq, seal, mark FROM activity_head"#)
            .fetch_optional(&mut *tx)
            .await?;
    match head {
        Some(head) => links(&mut tx, sealer, &head, kept, &mut verdict).await?,
        None => headless(&mut tx, kept, &mut verdict).await?,
    }
    unsealed(&mut tx, &mut verdict).await?;
    tx.rollback().await?;
    Ok(verdict)
}

async fn headless(
    tx: &mut PgConnection,
    kept: Option<&Anchor>,
    verdict: &mut Verdict,
) -> sqlx::Result<()> {
    let seals = sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM activity_seals"#);
    if seals.fetch_one(tx).await? > 0 || kept.is_some() {
        verdict.note("The end of the chain and its key are gone.".to_owned());
    }
    Ok(())
}

/// Every seal, one after another, with its entry; then the end.
async fn links(
    tx: &mut PgConnection,
    sealer: &Sealer,
    head: &Head,
    kept: Option<&Anchor>,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let chain = Chain::new(&sealer.open(OWNER, &head.key)?)?;
    let (mut seq, mut last) = (0, BEGINNING);
    loop {
        let seals = sqlx::query!(
            "SELECT seq, activity_id, seal FROM activity_seals WHERE seq > $1 ORDER BY seq LIMIT $2",
            seq,
            AT_ONCE,
        )
        .fetch_all(&mut *tx)
        .await?;
        if seals.is_empty() {
            break;
        }
        let ids: Vec<_> = seals.iter().map(|seal| seal.activity_id).collect();
        let entries = written(&mut *tx, &ids).await?.into_iter();
        let by_id: HashMap<_, _> = entries.map(|entry| (entry.id, entry)).collect();
        for seal in seals {
            let id = seal.activity_id;
            if seal.seq != seq + 1 {
                verdict.note(format!("Seals {} to {} were removed.", seq + 1, seal.seq - 1));
            }
            match by_id.get(&id) {
                None => verdict.note(format!("Entry {id} was removed (seal {}).", seal.seq)),
                Some(entry) if !same(&chain.seal(&last, entry), &seal.seal) => {
                    // After a gap nothing can fit: what is wrong is the gap.
                    if seal.seq == seq + 1 {
                        let when = entry.at.format("%Y-%m-%d %H:%M:%S UTC");
                        verdict.note(format!(
                            "Entry {id} of {when} is not what was sealed (seal {}).",
                            seal.seq
                        ));
                    }
                }
                Some(_) => {}
            }
            seq = seal.seq;
            last = seal_of(&seal.seal);
            if let Some(kept) = kept.filter(|kept| kept.seq == seq)
                && Anchor::of(seq, &last) != *kept
            {
                verdict.note(format!("Seal {seq} is another than the one that was kept."));
            }
        }
    }
    verdict.sealed = seq;
    verdict.end = (seq > 0).then(|| Anchor::of(seq, &last));
    if seq < head.seq {
        verdict.note(format!("The newest entries were removed: {} were sealed.", head.seq));
    } else if seq > head.seq
        || !same(&last, &head.seal)
        || !same(&chain.mark(seq, &last), &head.mark)
    {
        verdict.note("The end of the chain was put in another’s place.".to_owned());
    }
    if let Some(kept) = kept.filter(|kept| kept.seq > seq) {
        let missing = kept.seq - seq;
        verdict.note(format!("The newest entries were removed: {missing} that had been kept."));
    }
    Ok(())
}

fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

async fn written(db: impl PgExecutor<'_>, ids: &[i64]) -> sqlx::Result<Vec<Written>> {
    sqlx::query_as!(
        Written,
        r#"
        SELECT id, at, staff_id, actor, address, account_id, account_name, action, summary, changes
        FROM activity WHERE id = ANY($1)
        "#,
        ids,
    )
    .fetch_all(db)
    .await
}

/// What stands there without a seal, and what waited for one and is gone.
async fn unsealed(tx: &mut PgConnection, verdict: &mut Verdict) -> sqlx::Result<()> {
    let found = sqlx::query!(
        r#"
        SELECT (SELECT count(*) FROM activity_unsealed) AS "waiting!",
            (SELECT min(activity_id) FROM activity_unsealed u
                WHERE NOT EXISTS (SELECT FROM activity a WHERE a.id = u.activity_id)) AS gone,
            (SELECT min(id) FROM activity a
                WHERE NOT EXISTS (SELECT FROM activity_seals s WHERE s.activity_id = a.id)
                    AND NOT EXISTS (SELECT FROM activity_unsealed u WHERE u.activity_id = a.id)
            ) AS smuggled
        "#
    )
    .fetch_one(tx)
    .await?;
    verdict.waiting = found.waiting;
    if let Some(id) = found.gone {
        verdict.note(format!("Entry {id} was removed before it was sealed."));
    }
    if let Some(id) = found.smuggled {
        verdict.note(format!("Entry {id} has no seal and waits for none."));
    }
    Ok(())
}

/// The chain's key, sealed with a new master key.
pub async fn reseal(tx: &mut PgConnection, old: &Sealer, new: &Sealer) -> anyhow::Result<()> {
    let key = sqlx::query_scalar!(r#"SELECT key AS "key: Sealed" FROM activity_head FOR UPDATE"#);
    if let Some(key) = key.fetch_optional(&mut *tx).await? {
        let key = old.reseal(new, OWNER, &key)?;
        sqlx::query!("UPDATE activity_head SET key = $1", key as Sealed).execute(tx).await?;
    }
    Ok(())
}
