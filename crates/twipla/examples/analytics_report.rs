//! Prints the visits of the last week by device, using a temporary API key.
//!
//! ```text
//! cargo run --example analytics_report -- site-1
//! ```

use std::error::Error;

use chrono::{Days, Utc};
use twipla::{Dimension, Metric, Order, Secret, Twipla, TwiplaWebsiteId};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let website = std::env::args()
        .nth(1)
        .ok_or("usage: analytics_report WEBSITE")?;
    let twipla = Twipla::from_env()?;
    let site = twipla.website(&website).get().await?;
    let keys = twipla.website(&website).api_keys();
    let key = keys.create("analytics_report").await?;
    let printed = print_visits(&twipla, site.id, key.api_key).await;
    keys.delete(key.id).await?;
    Ok(printed?)
}

async fn print_visits(twipla: &Twipla, site: TwiplaWebsiteId, key: Secret) -> twipla::Result<()> {
    let today = Utc::now().date_naive();
    let report = twipla
        .analytics(site, key)
        .sessions()
        .metrics([Metric::VisitCount])
        .dimensions([Dimension::DeviceType])
        .order_by(Order::descending(Metric::VisitCount))
        .date_range(today - Days::new(7)..=today)
        .timezone("Europe/Berlin")
        .await?;
    for row in &report.rows {
        let device = row.text(&Dimension::DeviceType).unwrap_or("unknown");
        println!(
            "{device}: {} visits",
            row.number(&Metric::VisitCount).unwrap_or_default()
        );
    }
    Ok(())
}
