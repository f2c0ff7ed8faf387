//! The first partner admin: whoever can read what the process printed.

use sqlx::PgPool;

use super::door::Door;
use super::password::NewPassword;
use super::sign_in::entry;
use super::store::{self, NewStaff};
use super::{Role, throttle::Attempt};
use crate::audit::{self, Actor};
use crate::ids::StaffId;
use crate::kit::email::Email;
use crate::kit::secret::Secret;
use crate::kit::token::{self, TokenDigest};
use crate::state::AppState;

/// Crockford's: nothing in it looks like anything else in it.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS: usize = 5;
const GROUP: usize = 5;

/// A new set-up code when there are no staff, to be printed at start. Any before it is void.
pub async fn code_for_start(db: &PgPool) -> sqlx::Result<Option<Secret>> {
    if !store::is_empty(db).await? {
        return Ok(None);
    }
    let code = random_code(GROUPS);
    store::replace_setup_code(db, &digest(code.reveal())).await?;
    Ok(Some(code))
}

pub(super) struct FirstAdmin {
    pub code: TokenDigest,
    pub name: String,
    pub email: Email,
    pub password: NewPassword,
}

/// Makes the first partner admin and signs them in; `None` when the code is not the one.
/// The code is used up with it: of two who use it at once, one finds it gone.
pub(super) async fn begin(
    app: &AppState,
    door: &Door,
    first: &FirstAdmin,
) -> anyhow::Result<Option<Secret>> {
    let hash = app.passwords.hash(first.password.secret()).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !(store::take_setup_code(&mut *tx, &first.code).await? && store::is_empty(&mut *tx).await?) {
        return Ok(None);
    }
    let (id, role) = (StaffId::new(), Role::PartnerAdmin);
    let FirstAdmin { name, email, .. } = first;
    let staff = NewStaff { id, name, email, role, password_hash: Some(&hash) };
    store::insert(&mut *tx, staff, now).await?;
    store::note_sign_in(&mut *tx, id, now).await?;
    Attempt::with_setup_code(door.address).succeeded(&mut tx).await?;
    let actor = Actor::staff(id, email, door.address);
    let begun = entry("staff.first_admin", "Set the portal up as its first partner admin.");
    audit::note(&mut tx, &actor, begun, now).await?;
    let session = door.begin_session(&mut tx, id, now).await?;
    tx.commit().await?;
    Ok(Some(session))
}

/// Groups of five characters, of five random bits each: five groups hold 125 bits.
pub(super) fn random_code(groups: usize) -> Secret {
    let mut code = String::with_capacity(groups * (GROUP + 1));
    for place in 0..groups * GROUP {
        if place > 0 && place % GROUP == 0 {
            code.push('-');
        }
        let letter = LETTERS.get(usize::from(rand::random::<u8>() % 32));
        code.extend(letter.map(|letter| char::from(*letter)));
    }
    Secret::new(code)
}

/// Of a code as typed: case, spaces and hyphens do not matter, nor O for 0, nor I or L for 1.
pub(super) fn digest(typed: &str) -> TokenDigest {
    let read: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    token::digest(&read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        assert_eq!(digest("01AB-CD"), digest(" olab cd "));
        assert_ne!(digest("01ABCD"), digest("01ABCE"));
    }

    #[test]
    fn codes_are_grouped_and_unlike() {
        let code = random_code(5);
        assert_eq!(code.reveal().len(), 29);
        assert!(code.reveal().split('-').all(|group| group.len() == 5));
        assert_ne!(code.reveal(), random_code(5).reveal());
    }
}
