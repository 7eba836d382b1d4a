//! Prints the table of faults in `tests/README.md`: `cargo run -p twipla-tests --bin fault-table`.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    print!("{}", twipla_tests::fault_table::table().await?);
    Ok(())
}
