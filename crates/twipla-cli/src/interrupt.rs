//! Ctrl-C and requests to terminate.

use tokio::sync::watch;

/// Resolves when the user or the system wants the program to end. Clones share the state.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Starts listening. From now on, the signals do not end the program by themselves.
    pub(crate) fn listen() -> Self {
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            requested().await;
            let _ = sender.send(true);
            // Keeps the channel open: a closed one would look like an interrupt.
            std::future::pending::<()>().await;
        });
        Self(receiver)
    }

    /// Waits for the interrupt. Returns immediately if it has already happened.
    pub(crate) async fn wait(&self) {
        let _ = self.0.clone().wait_for(|interrupted| *interrupted).await;
    }
}

/// Waits for a request to terminate, which is only for this program.
pub(crate) async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            terminate.recv().await;
            return;
        }
    }
    std::future::pending::<()>().await;
}

async fn requested() {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}
