//! The serial console: lines out, keys in.
//!
//! Output goes through one lock, so that lines of several CPUs do not mix. Input arrives in an
//! interrupt handler, which only moves bytes into a ring; readers are woken at the next safe point
//! of the scheduler ([`deliver_input`]).

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use arch::irq_lock::IrqLock;
use arrayvec::ArrayVec;
use spin::{Mutex, Once};

use crate::options::Interaction;
use crate::sched::{self, Deadline, Interrupted, WaitQueue};

/// Keys that are kept until somebody reads them; further ones are lost.
const INPUT_BYTES: usize = 256;

/// The key that ends the input: Control-D.
const END_OF_INPUT: u8 = 0x04;

/// Held while a line is written.
static OUTPUT: Mutex<()> = Mutex::new(());

/// Keys that nobody has read yet.
static INPUT: IrqLock<ArrayVec<u8, INPUT_BYTES>> = IrqLock::new(ArrayVec::new_const());

/// There is input that the readers have not been told about.
static INPUT_ARRIVED: AtomicBool = AtomicBool::new(false);

/// Threads that wait for a key.
static READERS: WaitQueue = WaitQueue::new();

/// Set once reading may wait for somebody to type.
static TERMINAL: Once<()> = Once::new();

/// Prints a line to the console.
// Used by path-free name everywhere in this crate (`#[macro_use]` in `main.rs`).
macro_rules! println {
    () => { $crate::console::print(format_args!("\n")) };
    ($($arguments:tt)*) => {
        $crate::console::print(format_args!("{}\n", format_args!($($arguments)*)))
    };
}

/// Writes formatted text; other CPUs' output comes before it or after it, not in between.
pub fn print(text: fmt::Arguments<'_>) {
    let _line = OUTPUT.lock();
    print_unlocked(text);
}

/// Writes bytes as they are.
pub fn write(bytes: &[u8]) {
    let _line = OUTPUT.lock();
    arch::console::write(bytes);
}

/// Writes formatted text without waiting for anybody, for reports from a kernel that is broken.
pub fn print_unlocked(text: fmt::Arguments<'_>) {
    // The device takes whatever it is given: writing cannot fail, only a `Display` can, and then the
    // rest of its text is missing, which shows.
    let _ = fmt::Write::write_fmt(&mut Device, text);
}

/// Lets readers wait for keys from now on, if `interaction` says that somebody is there.
pub fn set_interaction(interaction: Interaction) {
    match interaction {
        Interaction::Terminal => {
            TERMINAL.call_once(arch::console::enable_input_interrupt);
        }
        Interaction::None => (),
    }
}

/// Waits for input and moves what is there into `buffer`; returns how many bytes that are.
///
/// Zero means that the input has ended: nobody is there, or somebody typed Control-D.
///
/// # Errors
/// - [`Interrupted`]: the waiting thread is to end.
pub fn read(buffer: &mut [u8]) -> Result<usize, Interrupted> {
    if TERMINAL.get().is_none() || buffer.is_empty() {
        return Ok(0);
    }
    READERS.wait(Deadline::NEVER, || take_input(buffer))
}

/// Moves keys from the device into the ring; called by the interrupt handler.
pub fn collect_input() {
    let mut input = INPUT.lock();
    while let Some(byte) = arch::console::read() {
        // A full ring loses keys, as a keyboard does when nobody listens.
        let _ = input.try_push(byte);
    }
    INPUT_ARRIVED.store(true, Ordering::Release);
}

/// Wakes the readers if keys came; called at the scheduler's safe points.
pub fn deliver_input() {
    if INPUT_ARRIVED.load(Ordering::Acquire) && INPUT_ARRIVED.swap(false, Ordering::AcqRel) {
        READERS.wake_all();
    }
}

/// Moves as much as possible from the ring to `buffer`; `None` if there is nothing.
fn take_input(buffer: &mut [u8]) -> Option<usize> {
    let mut input = INPUT.lock();
    let limit = input.len().min(buffer.len());
    let end = input.iter().position(|byte| *byte == END_OF_INPUT);
    let (count, used) = match end {
        Some(0) => (0, 1),
        Some(end) if end < limit => (end, end),
        _ if limit == 0 => return None,
        _ => (limit, limit),
    };
    for (to, from) in buffer.iter_mut().zip(input.drain(..used)) {
        *to = from;
    }
    Some(count)
}

/// The device, as something to format into.
struct Device;

impl fmt::Write for Device {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        arch::console::write(text.as_bytes());
        Ok(())
    }
}

/// Brings the thread that runs on this CPU to a safe point soon, so that it delivers the input.
pub fn hurry_delivery() {
    sched::request(arch::cpu::current());
    // A user thread passes a safe point only when it is interrupted; the timer does that.
    arch::timer::set_deadline(Some(0));
}
