//! Profiles: named client settings in a file, shared by the program `twipla` and your own programs.
//!
//! The file is `twipla/profiles.toml` in the system's configuration folder (`~/.config`, or the one named by
//! `XDG_CONFIG_HOME`; `%APPDATA%` on Windows). Write it with `twipla profile add` or by hand:
//!
//! ```toml
//! default = "shop"
//!
//! [profiles.shop]
//! partner_id = "7128840a-5347-49a4-8dfa-9022d8dad21a"
//! environment = "stage"                 # or base_url, with data_url and dashboard_url where they differ
//! private_key_file = "shop.key"         # relative to this file, or absolute; or one of:
//! # private_key_variable = "SHOP_KEY"   # a variable with the PEM text
//! # private_key_command = ["op", "read", "op://shop/twipla/key"]   # a program that prints it
//! # private_key = "-----BEGIN …"        # the key itself; nobody else may then read this file
//! ```
//!
//! On Unix, a file that contains a key and that others can read is refused, and files are written so that only their owner can
//! read them. On Windows, nothing is checked: access is that of the folder, which is the user's own.
//!
//! The variables of [`Twipla::from_env`](crate::Twipla::from_env) override a profile: the partner, the key, and the
//! server, each separately.
//!
//! ```no_run
//! let twipla = twipla::Twipla::from_profile("shop")?;
//! # Ok::<(), twipla::Error>(())
//! ```

mod file;
mod settings;

pub use file::Profiles;
pub use settings::{Address, KeySource, Profile};
