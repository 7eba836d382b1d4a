//! Prints situations that were once reported incorrectly, then and now: `cargo run -p twipla-tests --bin situations`.

#[tokio::main]
async fn main() -> twipla::Result<()> {
    print!("{}", twipla_tests::situations::table().await?);
    Ok(())
}
