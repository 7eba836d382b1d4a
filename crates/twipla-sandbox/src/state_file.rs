//! The file that keeps the partners' data between starts.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::error::Error;
use crate::files;
use crate::partner::{Partner, PartnerConfig};
use crate::state::{SharedWorld, World};

/// Incremented whenever older sandboxes can no longer read the file, or would
/// misread it.
const VERSION: u64 = 1;
/// How long changes may wait to be written.
const PAUSE: Duration = Duration::from_secs(1);

/// The file, and the last change written to it.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    keys: Vec<Keys>,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    saved: Option<Changes>,
    /// The lock against other sandboxes; `None` once this one has stopped.
    lock: Option<File>,
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct State {
    version: u64,
    /// How far the billing time is ahead of the clock.
    advanced_millis: i64,
    partners: Vec<KeptPartner>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeptPartner {
    keys: Keys,
    account: Account,
}

/// Stored so that a sandbox can start from this file alone.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Keys {
    id: uuid::Uuid,
    public_key: String,
    /// Empty if only the partner has the private key.
    private_key: String,
}

/// Omits the key.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Keys").field(&self.id).finish()
    }
}

/// Identifies the last change of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Changes {
    commits: u64,
    resets: u64,
    advanced: TimeDelta,
}

impl State {
    /// Reads a state file; `None` if it does not exist.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Error> {
        let unreadable = |why: String| {
            Error::new(format!(
                "cannot read the state in {}: {why}: use another file, or remove this one to start with new data",
                path.display()
            ))
        };
        let text = files::read(path).map_err(|error| unreadable(error.to_string()))?;
        let Some(text) = text else {
            return Ok(None);
        };
        // The version is checked first, because nothing else can be parsed
        // reliably in another version.
        let value: Value =
            serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        match value.get("version") {
            Some(version) if *version == VERSION => {}
            Some(version) => {
                return Err(unreadable(format!(
                    "version {version} was written by another sandbox: expected version {VERSION}"
                )));
            }
            None => return Err(unreadable("it has no version".to_owned())),
        }
        // Parsed from the text again, so that errors include the position.
        let mut json = serde_json::Deserializer::from_str(&text);
        let mut state: Self = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| unreadable(error.to_string()))?;
        for partner in &mut state.partners {
            if partner.account.id != partner.keys.id {
                return Err(unreadable(format!(
                    "the account of partner {} has another id",
                    partner.keys.id
                )));
            }
            partner.account.make_index();
        }
        Ok(Some(state))
    }

    /// Returns the partners whose keys are in the file.
    pub(crate) fn partners(&self) -> Vec<PartnerConfig> {
        let partners = self.partners.iter().map(|partner| {
            let account = &partner.account;
            let config = PartnerConfig::new(account.id, account.model)
                .name(account.name.as_str())
                .billing_mode(account.billing_mode.clone());
            match partner.keys.private_key.as_str() {
                "" => config.public_key_pem(partner.keys.public_key.as_str()),
                private => config.private_key_pem(private),
            }
        });
        partners.collect()
    }

    /// Restores the data into a world.
    ///
    /// # Errors
    ///
    /// If a partner of the world is under a different model than in the file.
    pub(crate) fn restore(self, world: &mut World) -> Result<(), Error> {
        world.clock.reset();
        // If the time is no longer within the calendar, it is not advanced.
        let _ = world
            .clock
            .advance(TimeDelta::milliseconds(self.advanced_millis));
        for partner in self.partners {
            let id = partner.keys.id;
            let fresh = world.accounts.get(&id);
            if fresh.is_some_and(|fresh| fresh.model != partner.account.model) {
                return Err(Error::new(format!(
                    "the state has partner {id} under the {} model: configure it so, or remove the state file",
                    partner.account.model.as_str()
                )));
            }
            world.accounts.insert(id, partner.account);
        }
        Ok(())
    }
}

impl StateFile {
    /// Locks the file for this sandbox.
    pub(crate) fn lock(path: &Path) -> Result<File, Error> {
        match files::lock(path) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(Error::new(format!(
                "cannot use the state in {}: another sandbox uses it: stop that one, or use another file",
                path.display()
            ))),
            Err(error) => Err(unwritable(path, &error)),
        }
    }

    pub(crate) fn new(path: PathBuf, lock: File, partners: &[Partner]) -> Self {
        let keys = partners.iter().map(|partner| Keys {
            id: *partner.id().as_uuid(),
            public_key: partner.public_key_pem().to_owned(),
            private_key: partner.private_key_pem().to_owned(),
        });
        Self {
            path,
            keys: keys.collect(),
            written: Mutex::new(Written {
                saved: None,
                lock: Some(lock),
            }),
        }
    }

    /// Writes the changes since the last time, if any.
    pub(crate) fn save(&self, world: &SharedWorld) -> Result<(), Error> {
        // Held until the end, so that an older state never replaces a newer
        // one.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut written, world)
    }

    /// Writes the last changes and releases the lock. Later calls do nothing.
    pub(crate) fn close(&self, world: &SharedWorld) -> Result<(), Error> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.write(&mut written, world);
        written.lock = None;
        result
    }

    fn write(&self, written: &mut Written, world: &SharedWorld) -> Result<(), Error> {
        if written.lock.is_none() {
            return Ok(());
        }
        let (changes, state) = {
            let world = world.lock();
            let changes = Changes {
                commits: world.commits.last_sequence(),
                resets: world.resets,
                advanced: world.clock.advanced(),
            };
            if written.saved == Some(changes) {
                return Ok(());
            }
            (changes, self.state(&world))
        };
        let failed = |error: std::io::Error| unwritable(&self.path, &error);
        let text = serde_json::to_string(&state).map_err(|error| failed(error.into()))?;
        files::write(&self.path, &text).map_err(failed)?;
        written.saved = Some(changes);
        Ok(())
    }

    /// Writes changes as they occur, until the sandbox is dropped.
    pub(crate) async fn keep_saving(self: Arc<Self>, world: std::sync::Weak<SharedWorld>) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let Some(world) = world.upgrade() else {
                return;
            };
            let file = Arc::clone(&self);
            let saving = tokio::task::spawn_blocking(move || {
                if let Err(error) = file.save(&world) {
                    tracing::error!("{error}");
                }
            });
            if saving.await.is_err() {
                return;
            }
        }
    }

    fn state(&self, world: &World) -> State {
        let partners = self.keys.iter().filter_map(|keys| {
            Some(KeptPartner {
                keys: keys.clone(),
                account: world.accounts.get(&keys.id)?.clone(),
            })
        });
        State {
            version: VERSION,
            advanced_millis: world.clock.advanced().num_milliseconds(),
            partners: partners.collect(),
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!(
        "cannot write the state to {}: {error}: choose a file in a folder that can be written",
        path.display()
    ))
}
