//! Profiles: named settings of clients in a file, which the program `twipla` and programs of your own share.
//!
//! The file is `twipla/profiles.toml` in the configuration folder of the system (`~/.config`, or what `XDG_CONFIG_HOME`
//! names; `%APPDATA%` on Windows). `twipla profile add` writes it, and so may you:
//!
//! ```toml
//! default = "shop"
//!
//! [profiles.shop]
//! partner_id = "7128840a-5347-49a4-8dfa-9022d8dad21a"
//! environment = "stage"                 # or base_url, with data_url and dashboard_url where they differ
//! private_key_file = "shop.key"         # beside this file, or a full path; or one of:
//! # private_key_variable = "SHOP_KEY"   # a variable with the PEM text
//! # private_key_command = ["op", "read", "op://shop/twipla/key"]   # a program that prints it
//! # private_key = "-----BEGIN …"        # the key itself; nobody else may then read this file
//! ```
//!
//! The variables of [`Twipla::from_env`](crate::Twipla::from_env) win over a profile: the partner, the key, and the server, each for itself.
//!
//! ```no_run
//! let twipla = twipla::Twipla::from_profile("shop")?;
//! # Ok::<(), twipla::Error>(())
//! ```

mod file;
mod settings;

pub use file::Profiles;
pub use settings::{Address, KeySource, Profile};
