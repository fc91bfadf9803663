//! The key store of the desktop, where the program was built with it and one answers. One that
//! does not is told of: a token is not put elsewhere in silence (reliability.md 5).

use crate::model::Fault;
use crate::text::redact::Secret;

/// The token of a context; none where there is no key store, or none in it.
pub async fn read(name: &str) -> Result<Option<Secret>, Fault> {
    store::read(name).await
}

/// Keeps a token; false where there is no key store.
pub async fn keep(name: &str, token: &Secret) -> Result<bool, Fault> {
    store::keep(name, token).await
}

/// Forgets a token; whether there was one.
pub async fn forget(name: &str) -> Result<bool, Fault> {
    store::forget(name).await
}

#[cfg(not(feature = "keyring"))]
mod store {
    use std::future::{Ready, ready};

    use super::{Fault, Secret};

    pub(super) fn read(_: &str) -> Ready<Result<Option<Secret>, Fault>> {
        ready(Ok(None))
    }

    pub(super) fn keep(_: &str, _: &Secret) -> Ready<Result<bool, Fault>> {
        ready(Ok(false))
    }

    pub(super) fn forget(_: &str) -> Ready<Result<bool, Fault>> {
        ready(Ok(false))
    }
}

#[cfg(feature = "keyring")]
mod store {
    use std::time::Duration;

    use keyring::{Entry, Error};
    use tokio::task::spawn_blocking;
    use tokio::time::timeout;

    use super::{Fault, Secret};
    use crate::model::FaultKind;
    use crate::say;

    /// A key store answers in this time, or is told not to.
    const PATIENCE: Duration = Duration::from_secs(3);

    async fn ask<T: Send + 'static>(
        name: &str,
        deed: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<Option<T>, Fault> {
        let name = name.to_owned();
        let work = spawn_blocking(move || deed(Entry::new("deckwatch", &name)?));
        let fault = |why: String| {
            let what = say!("the keyring", "密钥环");
            let next = say!(
                "unlock it, or name a --token-file",
                "请解锁它，或指定 --token-file"
            );
            Fault::new(FaultKind::Denied, what, why, next)
        };
        match timeout(PATIENCE, work).await {
            Ok(Ok(Ok(value))) => Ok(Some(value)),
            Ok(Ok(Err(Error::NoEntry | Error::NoDefaultStore | Error::NoStorageAccess(_)))) => {
                Ok(None)
            }
            Ok(Ok(Err(Error::PlatformFailure(_)))) => Ok(None),
            Ok(Ok(Err(error))) => {
                let error = error.to_string();
                Err(fault(say!("it refuses ({error})", "它拒绝了（{error}）")))
            }
            Ok(Err(_)) | Err(_) => Err(fault(say!("it did not answer in 3 s", "3 秒内没有应答"))),
        }
    }

    pub(super) async fn read(name: &str) -> Result<Option<Secret>, Fault> {
        let found = ask(name, |entry| entry.get_password()).await?;
        Ok(found.map(Secret::new))
    }

    pub(super) async fn keep(name: &str, token: &Secret) -> Result<bool, Fault> {
        let token = token.clone();
        let kept = ask(name, move |entry| entry.set_password(token.expose())).await?;
        Ok(kept.is_some())
    }

    pub(super) async fn forget(name: &str) -> Result<bool, Fault> {
        let gone = ask(name, |entry| entry.delete_credential()).await?;
        Ok(gone.is_some())
    }
}
