//! The desk where users log in, and its book: tokens issued, wrong passwords, who asked for what.
//! Neither passwords nor tokens stand in the book.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use super::token;
use crate::demo::options::Hidden;
use crate::demo::times;
use crate::model::Micros;

/// Requests remembered; the oldest go.
const REQUESTS: usize = 4096;
/// Wrong passwords until the user is frozen, and for how many seconds (protocols.md 3.1).
const WRONG: u32 = 4;
const FROZEN: i64 = 600;

/// By which credential something was asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Credential {
    /// None, or none that counts.
    None,
    /// The console's token in `Authorization`.
    Header,
    /// The console's token in a cookie.
    Cookie,
    /// A word in `Authorization` on the region.
    Region,
}

/// One request to the console or the region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestRecord {
    /// The connection, counted from 1 in the order of acceptance.
    pub conn: u64,
    /// The method.
    pub method: String,
    /// The path below the platform's prefix, without the query.
    pub path: String,
    /// What it was asked with; an expired or unknown token counts as none.
    pub credential: Credential,
    /// HTTP's status of the answer.
    pub status: u16,
    /// When it was answered, or its stream began.
    pub at: Micros,
}

#[derive(Debug, Default)]
struct Book {
    issued: u64,
    /// Tokens of earlier terms count no more.
    term: u32,
    wrong: u32,
    frozen_until: i64,
    requests: VecDeque<RequestRecord>,
}

/// The desk; cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    book: Arc<watch::Sender<Book>>,
    user: String,
    password: Hidden,
    secret: [u8; 16],
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// Why nobody is let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoEntry {
    /// No such user.
    User,
    /// Another password.
    Password,
    /// Too many wrong ones.
    Frozen,
}

impl Desk {
    pub(crate) fn new(user: &str, password: &Hidden) -> io::Result<Self> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self {
            book: Arc::new(watch::Sender::new(Book::default())),
            user: user.to_owned(),
            password: password.clone(),
            secret,
        })
    }

    fn key(&self) -> Vec<u8> {
        let mut key = self.secret.to_vec();
        key.extend_from_slice(&self.book.borrow().term.to_be_bytes());
        key
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn password(&self) -> &str {
        self.password.show()
    }

    /// A token for whoever knows the password.
    pub(super) fn enter(
        &self,
        (user, password): (&str, &str),
        now: Micros,
        lifetime: std::time::Duration,
    ) -> Result<String, NoEntry> {
        if user != self.user {
            return Err(NoEntry::User);
        }
        let now = times::seconds(now);
        let mut result = Err(NoEntry::Password);
        self.book.send_modify(|book| {
            if now < book.frozen_until {
                result = Err(NoEntry::Frozen);
            } else if password == self.password.show() {
                book.wrong = 0;
                book.issued += 1;
                result = Ok(());
            } else {
                book.wrong += 1;
                if book.wrong >= WRONG {
                    book.wrong = 0;
                    book.frozen_until = now.saturating_add(FROZEN);
                }
            }
        });
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let ends = now.saturating_add(lifetime);
        result.map(|()| token::issue(&self.key(), &self.user, ends))
    }

    /// Whether a token counts now.
    pub(super) fn knows(&self, token: &str, now: Micros) -> bool {
        token::ends(&self.key(), token).is_some_and(|ends| times::seconds(now) < ends)
    }

    /// All tokens so far count no more.
    pub(crate) fn revoke(&self) {
        self.book
            .send_modify(|book| book.term = book.term.wrapping_add(1));
    }

    /// How many tokens there were.
    pub(crate) fn issued(&self) -> u64 {
        self.book.borrow().issued
    }

    pub(super) fn note(&self, record: RequestRecord) {
        self.book.send_modify(|book| {
            book.requests.push_back(record);
            if book.requests.len() > REQUESTS {
                book.requests.pop_front();
            }
        });
    }

    /// Waits until the requests pass a test.
    pub(crate) async fn until(
        &self,
        mut test: impl FnMut(&[RequestRecord]) -> bool,
    ) -> Vec<RequestRecord> {
        let mut changes = self.book.subscribe();
        loop {
            changes.borrow_and_update();
            let requests = self.requests();
            // The sender is ours: it cannot be gone.
            if test(&requests) || changes.changed().await.is_err() {
                return requests;
            }
        }
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        self.book.borrow().requests.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Desk, NoEntry};
    use crate::model::Micros;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn four_wrong_passwords_freeze_for_ten_minutes() {
        let desk = Desk::new("demo", &"right".into()).unwrap();
        let enter = |password, second: i64| {
            desk.enter(("demo", password), Micros(second * 1_000_000), HOUR)
                .map(|_| ())
        };
        for _ in 0..3 {
            assert_eq!(enter("wrong", 0), Err(NoEntry::Password));
        }
        assert_eq!(enter("right", 0), Ok(()));
        for _ in 0..4 {
            assert_eq!(enter("wrong", 0), Err(NoEntry::Password));
        }
        assert_eq!(enter("right", 599), Err(NoEntry::Frozen));
        assert_eq!(enter("right", 600), Ok(()));
        assert_eq!(
            desk.enter(("other", "right"), Micros(0), HOUR),
            Err(NoEntry::User)
        );
        assert_eq!(desk.issued(), 2);
    }

    #[test]
    fn tokens_end_and_are_revoked() {
        let desk = Desk::new("demo", &"demo".into()).unwrap();
        let token = desk.enter(("demo", "demo"), Micros(0), HOUR).unwrap();
        assert!(desk.knows(&token, Micros(3_599_999_999)));
        assert!(!desk.knows(&token, Micros(3_600_000_000)));
        desk.revoke();
        assert!(!desk.knows(&token, Micros(0)));
        assert_eq!(format!("{desk:?}"), "Desk { .. }");
    }
}
