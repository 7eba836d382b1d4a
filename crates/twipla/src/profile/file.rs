//! The file of the profiles, which is read and written as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};

use super::settings::{Address, KeySource, Profile};
use crate::client::Twipla;
use crate::config::config;
use crate::environment::Environment;
use crate::ids::PartnerId;
use crate::secret::Secret;
use crate::{Error, Result};

/// All profiles of a file.
///
/// ```
/// use twipla::profile::{KeySource, Profile, Profiles};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let file = std::env::temp_dir().join(format!("twipla-doc-{}.toml", std::process::id()));
/// let mut profiles = Profiles::load_from(&file)?;      // or Profiles::load()
/// let key = KeySource::Variable("SHOP_KEY".into());
/// profiles.insert("shop", Profile::new("7128840a-5347-49a4-8dfa-9022d8dad21a".parse()?, key))?;
/// profiles.set_default("shop")?;
/// profiles.save()?;
/// # std::fs::remove_file(file)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Profiles {
    path: PathBuf,
    default: Option<String>,
    by_name: BTreeMap<String, Profile>,
}

impl Profiles {
    /// Returns the path of the file on this system, whether it exists or not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the user has no home folder.
    pub fn default_path() -> Result<PathBuf> {
        let strategy = etcetera::choose_base_strategy().map_err(|error| {
            config("cannot find the configuration folder: set HOME").with_source(error)
        })?;
        Ok(strategy.config_dir().join("twipla").join("profiles.toml"))
    }

    /// Reads the file of this system. A missing file gives no profiles.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the file cannot be read or is not valid, or
    /// if it contains a private key and others can read it.
    pub fn load() -> Result<Self> {
        Self::load_from(Self::default_path()?)
    }

    /// Like [`load`](Self::load), from another file.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    pub fn load_from(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let message = format!("cannot read the profiles in {}", path.display());
                return Err(config(format!("{message}: {error}")).with_source(error));
            }
        };
        let written: Written =
            toml::from_str(&text).map_err(|error| invalid(&path, &text, &error))?;
        let mut by_name = BTreeMap::new();
        for (name, entry) in written.profiles {
            let profile = entry.profile(&path).map_err(|problem| {
                config(format!(
                    "invalid profile {name:?} in {}: {problem}",
                    path.display()
                ))
            })?;
            by_name.insert(name, profile);
        }
        let profiles = Self {
            path,
            default: written.default,
            by_name,
        };
        profiles.check_private()?;
        Ok(profiles)
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the profile with this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if there is none; the message lists the known
    /// names.
    pub fn get(&self, name: &str) -> Result<&Profile> {
        self.by_name.get(name).ok_or_else(|| self.unknown(name))
    }

    /// Returns all profiles with their names, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.by_name
            .iter()
            .map(|(name, profile)| (name.as_str(), profile))
    }

    /// Returns the name of the default profile.
    pub fn default_name(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Adds a profile, or replaces the one with this name, which is returned.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the name contains characters other than ASCII
    /// letters, digits, `-`, `_` and `.`.
    pub fn insert(&mut self, name: &str, profile: Profile) -> Result<Option<Profile>> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(config(format!(
                "invalid profile name {name:?}: expected letters, digits, '-', '_' and '.'"
            )));
        }
        Ok(self.by_name.insert(name.to_owned(), profile))
    }

    /// Removes a profile and returns it. If it was the default, there is no default afterwards.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn remove(&mut self, name: &str) -> Result<Profile> {
        let removed = self
            .by_name
            .remove(name)
            .ok_or_else(|| self.unknown(name))?;
        self.default.take_if(|default| default == name);
        Ok(removed)
    }

    /// Sets the default profile.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn set_default(&mut self, name: &str) -> Result<()> {
        self.get(name)?;
        self.default = Some(name.to_owned());
        Ok(())
    }

    /// Writes the file atomically, readable only by its owner.
    /// Comments in it are lost.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if it cannot be written.
    pub fn save(&self) -> Result<()> {
        let profiles = self.iter();
        let written = Written {
            default: self.default.clone(),
            profiles: profiles
                .map(|(name, profile)| (name.to_owned(), Entry::of(profile)))
                .collect(),
        };
        let failed = |cause: String| {
            config(format!(
                "cannot write the profiles to {}: {cause}",
                self.path.display()
            ))
        };
        let text = toml::to_string(&written).map_err(|error| failed(error.to_string()))?;
        write_private(&self.path, &text)
            .map_err(|error| failed(error.to_string()).with_source(error))
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        unknown(name, &known)
    }

    #[cfg(unix)]
    #[allow(clippy::verbose_bit_mask, reason = "a mode reads as octal")]
    fn check_private(&self) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let holds_key = |profile: &Profile| matches!(profile.key, KeySource::Pem(_));
        if !self.by_name.values().any(holds_key) {
            return Ok(());
        }
        let mode = fs::metadata(&self.path).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 == 0 {
            return Ok(());
        }
        let file = self.path.display();
        Err(config(format!(
            "cannot use the private key in {file}: others can read it (mode {:o}): run chmod 600 {file}",
            mode & 0o777
        )))
    }

    #[cfg(not(unix))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Unix")]
    fn check_private(&self) -> Result<()> {
        Ok(())
    }
}

impl Twipla {
    /// Creates a client from a profile of the [file](crate::profile) that the program `twipla` uses. The variables of
    /// [`from_env`](Self::from_env) override it. Requires the feature `profile`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if there is no such profile, the file cannot be
    /// read, or a setting is invalid.
    ///
    /// ```no_run
    /// use twipla::Twipla;
    ///
    /// let twipla = Twipla::from_profile("shop")?;
    /// # Ok::<(), twipla::Error>(())
    /// ```
    pub fn from_profile(name: &str) -> Result<Self> {
        Profiles::load()?.get(name)?.builder()?.build()
    }
}

/// The file format.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    default: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    partner_id: String,
    environment: Option<Environment>,
    base_url: Option<String>,
    data_url: Option<String>,
    dashboard_url: Option<String>,
    private_key_file: Option<PathBuf>,
    private_key_variable: Option<String>,
    private_key_command: Option<Vec<String>>,
    private_key: Option<String>,
}

impl Entry {
    fn of(profile: &Profile) -> Self {
        let mut entry = Self {
            partner_id: profile.partner_id.to_string(),
            ..Self::default()
        };
        match profile.key.clone() {
            KeySource::File(path) => entry.private_key_file = Some(path),
            KeySource::Variable(name) => entry.private_key_variable = Some(name),
            KeySource::Command(command) => entry.private_key_command = Some(command),
            KeySource::Pem(pem) => entry.private_key = Some(pem.expose().to_owned()),
        }
        match profile.address.clone() {
            Address::Environment(environment) => entry.environment = Some(environment),
            Address::Urls {
                base_url,
                data_url,
                dashboard_url,
            } => {
                entry.base_url = Some(base_url);
                entry.data_url = data_url;
                entry.dashboard_url = dashboard_url;
            }
        }
        entry
    }

    /// Converts to the profile of the file at `path`, or returns what is wrong with it.
    fn profile(self, path: &Path) -> Result<Profile, String> {
        let partner_id: PartnerId = self
            .partner_id
            .parse()
            .map_err(|error| format!("{error}"))?;
        let key = match (
            self.private_key_file,
            self.private_key_variable,
            self.private_key_command,
            self.private_key,
        ) {
            // An absolute path replaces the folder.
            (Some(file), None, None, None) => {
                KeySource::File(path.parent().unwrap_or(Path::new("")).join(file))
            }
            (None, Some(name), None, None) => KeySource::Variable(name),
            (None, None, Some(command), None) => KeySource::Command(command),
            (None, None, None, Some(pem)) => KeySource::Pem(Secret::from(pem)),
            _ => {
                return Err("expected one of private_key_file, private_key_variable, \
                            private_key_command and private_key"
                    .into());
            }
        };
        let address = match (self.environment, self.base_url) {
            (Some(_), Some(_)) => {
                return Err("environment and base_url are both set: keep one".into());
            }
            (None, Some(base_url)) => Address::Urls {
                base_url,
                data_url: self.data_url,
                dashboard_url: self.dashboard_url,
            },
            (_, None) if self.data_url.is_some() || self.dashboard_url.is_some() => {
                return Err("data_url and dashboard_url need a base_url".into());
            }
            (environment, None) => Address::Environment(environment.unwrap_or_default()),
        };
        Ok(Profile::new(partner_id, key).address(address))
    }
}

fn unknown(name: &str, known: &[&str]) -> Error {
    let remedy = if known.is_empty() {
        "there is no profile yet, add one with `twipla profile add`".to_owned()
    } else {
        format!("expected one of {}", known.join(", "))
    };
    config(format!("unknown profile {name:?}: {remedy}"))
}

/// Creates an error with the line number but not the line's text, which may be a key.
fn invalid(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(0, |before| before.matches('\n').count()) + 1;
    let message = error.message().lines().next().unwrap_or_default();
    let message = match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected}"),
        _ => message.to_owned(),
    };
    config(format!(
        "invalid profiles in {}, line {line}: {message}",
        path.display()
    ))
}

/// Writes a file atomically, readable only by its owner.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // A symbolic link stays one: its target is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let written = write_draft(&draft, text).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const ID: &str = "7128840a-5347-49a4-8dfa-9022d8dad21a";

    fn folder_with(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profiles.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn error_of(text: &str) -> String {
        let (_folder, path) = folder_with(text);
        let error = Profiles::load_from(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.to_string()
    }

    #[test]
    fn saved_profiles_can_be_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/twipla/profiles.toml");
        let mut profiles = Profiles::load_from(&path).unwrap();
        assert_eq!(profiles.iter().count(), 0);
        let id: PartnerId = ID.parse().unwrap();
        let urls = Address::Urls {
            base_url: "https://api.example.com".into(),
            data_url: Some("https://data.example.com".into()),
            dashboard_url: None,
        };
        for (name, key, address) in [
            ("file", KeySource::File("/keys/a.key".into()), urls),
            (
                "variable",
                KeySource::Variable("A".into()),
                Address::Environment(Environment::Dev),
            ),
            (
                "command",
                KeySource::Command(vec!["op".into(), "a b".into()]),
                Address::Environment(Environment::Stage),
            ),
            (
                "pem",
                KeySource::Pem(Secret::from("-----BEGIN\n\"x\"\n")),
                Address::Environment(Environment::Production),
            ),
        ] {
            profiles
                .insert(name, Profile::new(id, key).address(address))
                .unwrap();
        }
        profiles.set_default("command").unwrap();
        profiles.save().unwrap();
        assert_eq!(Profiles::load_from(&path).unwrap(), profiles);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");

        profiles.remove("command").unwrap();
        assert_eq!(profiles.default_name(), None);
        let error = profiles.get("command").unwrap_err().to_string();
        assert!(
            error.contains("expected one of file, pem, variable"),
            "{error}"
        );
        assert!(
            profiles
                .insert("../x", Profile::new(id, KeySource::Variable("A".into())))
                .is_err()
        );
    }

    #[test]
    fn a_relative_key_file_is_resolved_against_the_folder_of_the_profiles() {
        let (folder, path) = folder_with(&format!(
            "[profiles.a]\npartner_id = \"{ID}\"\nprivate_key_file = \"a.key\"\n"
        ));
        let profiles = Profiles::load_from(path).unwrap();
        let expected = KeySource::File(folder.path().join("a.key"));
        assert_eq!(*profiles.get("a").unwrap().key(), expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_rejected() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, path) = folder_with(&format!(
            "[profiles.a]\npartner_id = \"{ID}\"\nprivate_key = \"x\"\n"
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Profiles::load_from(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Profiles::load_from(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_file_stays_a_link() {
        let (folder, path) = folder_with("");
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut profiles = Profiles::load_from(&link).unwrap();
        let key = KeySource::Variable("A".into());
        profiles
            .insert("a", Profile::new(ID.parse().unwrap(), key))
            .unwrap();
        profiles.save().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(path).unwrap().contains("[profiles.a]"));
    }

    #[test]
    fn errors_name_the_location_and_show_no_value() {
        let with = |lines: &str| error_of(&format!("[profiles.a]\npartner_id = \"{ID}\"\n{lines}"));
        assert!(with("").contains("expected one of private_key_file"));
        assert!(
            with("private_key = \"a\"\nprivate_key_file = \"b\"\n").contains("expected one of")
        );
        assert!(with("privat_key = \"hunter2\"\n").contains("line 3: unknown field `privat_key`"));
        assert!(
            with("private_key_variable = \"A\"\ndata_url = \"x\"\n").contains("need a base_url")
        );
        assert!(
            with("private_key_variable = \"A\"\nenvironment = \"dev\"\nbase_url = \"x\"\n")
                .contains("keep one")
        );
        assert!(
            error_of("[profiles.a]\npartner_id = \"x\"\nprivate_key = \"y\"\n")
                .contains("partner id")
        );
        let error = with("private_key = \"hunter2\n-----END\n");
        assert!(
            error.contains("line ") && !error.contains("hunter2"),
            "{error}"
        );
        let error = with("private_key_command = \"hunter2\"\n");
        assert!(
            error.contains("line 3: expected a sequence") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
