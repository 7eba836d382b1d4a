//! The dashboard, requested as by a browser.

mod access;
mod numbers;
mod site;
mod upgrade;
