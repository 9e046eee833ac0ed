//! Counters whose rate is known, to measure those whose rate is not.

use x86_64::instructions::port::Port;

use super::{apic, timer};

/// How fast the counters of a CPU run, in Hz.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rates {
    /// The time stamp counter.
    pub(super) counter: u64,
    /// The timer of the local APIC.
    pub(super) timer: u64,
}

/// A counter whose rate is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClockSource {
    /// The ACPI timer at this port (ACPI 6.5, 4.8.2.1): 24 bits, counts up.
    Acpi(u16),
    /// Channel 2 of the programmable interval timer (Intel 8254 datasheet): 16 bits, counts down.
    Interval,
}

/// One measurement is half a millisecond: a thousandth of a second of start-up in all.
const WINDOWS_PER_SECOND: u64 = 2000;

/// Measurements of which the middle one counts, so that one disturbance does no harm.
const MEASUREMENTS: usize = 3;

/// A source that has not moved after so many looks does not move at all.
const LOOKS: u32 = 100_000;

/// All counters at one moment.
#[derive(Clone, Copy)]
struct Reading {
    source: u64,
    counter: u64,
    timer: u32,
}

impl ClockSource {
    /// A source that counts: the ACPI timer if its port is known, else the interval timer.
    pub(super) fn find(acpi_port: Option<u16>) -> Option<Self> {
        let acpi = acpi_port.map(Self::Acpi);
        acpi.into_iter().chain([Self::Interval]).find(|source| {
            source.start();
            let first = source.read();
            (0..LOOKS).any(|_| source.read() != first)
        })
    }

    /// Measures the other counters against this one; `None` if it stops meanwhile.
    pub(super) fn measure(self) -> Option<Rates> {
        let mut all = [Rates {
            counter: 0,
            timer: 0,
        }; MEASUREMENTS];
        for rates in &mut all {
            *rates = self.measure_once()?;
        }
        all.sort_unstable_by_key(|rates| rates.counter);
        Some(all[MEASUREMENTS / 2])
    }

    fn measure_once(self) -> Option<Rates> {
        self.start();
        apic::run_timer_silently();
        let wanted = self.hertz() / WINDOWS_PER_SECOND;
        let first = self.reading();
        let mut looks_left = LOOKS;
        let last = loop {
            let reading = self.reading();
            if self.elapsed(first, reading) >= wanted {
                break reading;
            }
            looks_left = looks_left.checked_sub(1)?;
        };
        apic::stop_timer();
        let elapsed = self.elapsed(first, last);
        let rate = |ticks: u64| ticks.saturating_mul(self.hertz()) / elapsed;
        Some(Rates {
            counter: rate(last.counter.saturating_sub(first.counter)),
            timer: rate(u64::from(first.timer.saturating_sub(last.timer))),
        })
    }

    /// The other counters are read between two looks at the time stamp counter.
    fn reading(self) -> Reading {
        let before = timer::ticks();
        let source = self.read();
        let timer = apic::timer_count();
        let counter = before + timer::ticks().saturating_sub(before) / 2;
        Reading {
            source,
            counter,
            timer,
        }
    }

    /// Ticks of the source from one reading to a later one.
    fn elapsed(self, first: Reading, last: Reading) -> u64 {
        match self {
            Self::Acpi(_) => last.source.wrapping_sub(first.source) & 0xff_ffff,
            Self::Interval => first.source.wrapping_sub(last.source) & 0xffff,
        }
    }

    const fn hertz(self) -> u64 {
        match self {
            Self::Acpi(_) => 3_579_545,
            Self::Interval => 1_193_182,
        }
    }

    /// Lets the source count from its beginning.
    fn start(self) {
        const GATE: u8 = 1 << 0;
        const SPEAKER: u8 = 1 << 1;
        /// Channel 2, both bytes, mode 0, binary.
        const CONTROL: u8 = 0b1011_0000;
        match self {
            Self::Acpi(_) => {}
            // SAFETY:
            // 1. The ports belong to the interval timer and its gate on every PC, and to nothing where there
            //    is none. Channel 2 drives only the speaker, which is turned off.
            Self::Interval => unsafe {
                let mut gate = Port::<u8>::new(0x61);
                let before = gate.read();
                gate.write(before & !SPEAKER | GATE);
                Port::<u8>::new(0x43).write(CONTROL);
                let mut channel = Port::<u8>::new(0x42);
                channel.write(0xff);
                channel.write(0xff);
            },
        }
    }

    fn read(self) -> u64 {
        /// Latch the count of channel 2.
        const LATCH: u8 = 0b1000_0000;
        // SAFETY:
        // 1. ACPI names the first port, and the others are those of the interval timer on every PC.
        // 2. Reading changes nothing but the latch.
        unsafe {
            match self {
                Self::Acpi(port) => u64::from(Port::<u32>::new(port).read()),
                Self::Interval => {
                    Port::<u8>::new(0x43).write(LATCH);
                    let mut channel = Port::<u8>::new(0x42);
                    let low = channel.read();
                    u64::from(u16::from_le_bytes([low, channel.read()]))
                }
            }
        }
    }
}
