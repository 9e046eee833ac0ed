//! Random numbers.
//!
//! One ChaCha20 generator for the whole system, seeded from the CPU's own source and the clock.
//! Where the CPU has no source, the numbers still differ between the objects of one run, but can be
//! guessed by somebody who knows the time of the start.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use spin::Mutex;

/// Words of a seed.
const SEED_WORDS: usize = 4;

static GENERATOR: Mutex<Option<ChaCha20Rng>> = Mutex::new(None);

/// The next random number.
pub fn next() -> u64 {
    with_generator(ChaCha20Rng::next_u64)
}

/// Fills `bytes` with random bytes.
pub fn fill(bytes: &mut [u8]) {
    with_generator(|generator| generator.fill_bytes(bytes));
}

fn with_generator<R>(section: impl FnOnce(&mut ChaCha20Rng) -> R) -> R {
    section(GENERATOR.lock().get_or_insert_with(seeded))
}

/// A generator with a seed that nobody has used before.
#[cold]
fn seeded() -> ChaCha20Rng {
    let mut seed = [0; SEED_WORDS * size_of::<u64>()];
    for word in seed.chunks_exact_mut(size_of::<u64>()) {
        let random = arch::cpu::random().unwrap_or(0) ^ arch::timer::ticks().rotate_left(32);
        word.copy_from_slice(&random.to_le_bytes());
    }
    ChaCha20Rng::from_seed(seed)
}

#[cfg(test)]
mod tests {
    use ktest::ktest;

    #[ktest]
    fn numbers_and_bytes_differ_from_call_to_call() {
        assert_ne!(super::next(), super::next());
        let (mut first, mut second) = ([0; 32], [0; 32]);
        super::fill(&mut first);
        super::fill(&mut second);
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }
}
