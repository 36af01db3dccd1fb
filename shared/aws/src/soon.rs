//! What a function needs of AWS, made on another thread while this one asks Lambda for the first event: neither waits for the
//! other, and both have the processor that Lambda lends a function while it starts.

use tokio::sync::SetOnce;

/// Something that will be there; lives as long as the process.
pub struct Soon<T: 'static>(&'static SetOnce<T>);

impl<T> Clone for Soon<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Soon<T> {}

impl<T: Send + Sync> Soon<T> {
    /// Begins at once: makes it and, when whoever waits has it, makes ready what its first use would wait for.
    pub fn begin<W>(make: impl Future<Output = T> + Send + 'static, warm: impl FnOnce(&'static T) -> W + Send + 'static) -> Self
    where
        W: Future<Output = ()> + Send,
    {
        let place: &'static SetOnce<T> = Box::leak(Box::default());
        tokio::spawn(async move {
            let made = make.await;
            if place.set(made).is_ok() {
                warm(place.wait().await).await;
            }
        });
        Self(place)
    }

    pub async fn get(self) -> &'static T {
        self.0.wait().await
    }
}
