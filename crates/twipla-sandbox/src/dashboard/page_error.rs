//! Errors of the dashboard, each with a page that explains it.

use maud::{Markup, html};

use super::locale::Locale;
use super::page;
use super::texts::Texts;

/// Why a page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageError {
    NoToken,
    InvalidToken,
    ExpiredToken,
    PartnerToken,
    EndedLogin,
    UnknownCustomer,
    NoWebsite,
    UnknownWebsite,
    ForeignWebsite,
    InactiveWebsite,
    InvalidTimezone,
    InvalidDates,
    /// The partner does the billing, so there are no upgrades here.
    BillingElsewhere,
    /// Only the owner can buy an upgrade.
    NotTheOwner,
    UnavailablePackage,
    /// The form was forged or is out of date.
    InvalidForm,
}

impl PageError {
    pub(super) fn status(self) -> u16 {
        match self {
            Self::NoToken
            | Self::InvalidToken
            | Self::ExpiredToken
            | Self::PartnerToken
            | Self::EndedLogin
            | Self::UnknownCustomer => 401,
            Self::ForeignWebsite
            | Self::InactiveWebsite
            | Self::BillingElsewhere
            | Self::NotTheOwner
            | Self::InvalidForm => 403,
            Self::NoWebsite | Self::UnknownWebsite => 404,
            Self::InvalidTimezone | Self::InvalidDates | Self::UnavailablePackage => 400,
        }
    }

    pub(super) fn show(self, locale: Locale) -> Markup {
        let texts = locale.texts();
        let reason = self.reason(texts);
        page::layout(
            locale,
            texts.not_available,
            &html! {
                main.error {
                    p.status { (self.status()) }
                    h1 { (texts.not_available) }
                    p.reason role="alert" { (reason) }
                    p.quiet { (texts.open_again) }
                }
            },
        )
    }

    fn reason(self, texts: &Texts) -> &'static str {
        match self {
            Self::NoToken => texts.no_token,
            Self::InvalidToken => texts.invalid_token,
            Self::ExpiredToken => texts.expired_token,
            Self::PartnerToken => texts.partner_token,
            Self::EndedLogin => texts.ended_login,
            Self::UnknownCustomer => texts.unknown_customer,
            Self::NoWebsite => texts.no_website,
            Self::UnknownWebsite => texts.unknown_website,
            Self::ForeignWebsite => texts.foreign_website,
            Self::InactiveWebsite => texts.inactive_website,
            Self::InvalidTimezone => texts.invalid_timezone,
            Self::InvalidDates => texts.invalid_dates,
            Self::BillingElsewhere => texts.billing_elsewhere,
            Self::NotTheOwner => texts.not_the_owner,
            Self::UnavailablePackage => texts.unavailable_package,
            Self::InvalidForm => texts.invalid_form,
        }
    }
}
