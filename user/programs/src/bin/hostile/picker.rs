//! Values that hurt.

use model::Random;
use zx::sys;

use crate::world::{PAGE, SANDBOX_BYTES, SCRATCH_BYTES, World};

/// Addresses that are nobody's: null, the kernel's on either architecture, not canonical, wrapping.
const FOREIGN: [usize; 14] = [
    0,
    1,
    PAGE - 1,
    PAGE,
    0x1f_ffff,
    0x20_0000,
    0x8000_0000_0000,
    0xffff_ffff_ffff,
    0x1_0000_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0xffff_0000_0000_0000,
    0xffff_8000_0000_0000,
    0xffff_ffff_8010_0000,
    usize::MAX,
];

/// Lengths at which something ends, begins or wraps.
const LENGTHS: [usize; 24] = [
    0,
    1,
    4,
    7,
    8,
    16,
    31,
    32,
    33,
    152,
    PAGE - 1,
    PAGE,
    PAGE + 1,
    2 * PAGE,
    SCRATCH_BYTES,
    SCRATCH_BYTES + 1,
    SANDBOX_BYTES,
    SANDBOX_BYTES + PAGE,
    1 << 32,
    1 << 47,
    1 << 63,
    usize::MAX - PAGE,
    usize::MAX - PAGE + 1,
    usize::MAX,
];

/// Chooses arguments.
pub struct Picker {
    /// What there is to choose from.
    pub world: World,
    /// By what it is chosen.
    pub random: Random,
}

impl Picker {
    /// Chooses from `world`.
    pub const fn new(world: World) -> Self {
        Self {
            world,
            random: Random::new(0),
        }
    }

    /// A word of 32 bits in a register, whose other half may be rubbish.
    pub fn narrow(&mut self, word: u32) -> usize {
        let rubbish = if self.random.once_in(4) {
            self.random.next() & !u64::from(u32::MAX)
        } else {
            0
        };
        rubbish as usize | word as usize
    }

    /// A handle: mostly one that was valid once, else made up.
    pub fn handle(&mut self) -> sys::zx_handle_t {
        let one = self.random.pick(&self.world.handles);
        match self.random.below(12) {
            0 => self.random.pick(&[0, 1, 3, u32::MAX, u32::MAX - 1]),
            1 => one ^ 1 << self.random.below(32),
            2 => self.random.next() as u32,
            _ => one,
        }
    }

    /// A handle for calls about regions: mostly one.
    pub fn region(&mut self) -> sys::zx_handle_t {
        if self.random.once_in(5) {
            self.handle()
        } else {
            self.random.pick(&self.world.regions)
        }
    }

    /// A handle for calls about VMOs: mostly one.
    pub fn vmo(&mut self) -> sys::zx_handle_t {
        if self.random.once_in(5) {
            self.handle()
        } else {
            self.random.pick(&self.world.vmos)
        }
    }

    /// A handle for calls about processes and jobs: mostly one.
    pub fn task(&mut self) -> sys::zx_handle_t {
        if self.random.once_in(5) {
            self.handle()
        } else {
            self.random.pick(&self.world.tasks)
        }
    }

    /// A handle for calls about devices: mostly one.
    pub fn device(&mut self) -> sys::zx_handle_t {
        if self.random.once_in(5) {
            self.handle()
        } else {
            self.random.pick(&self.world.devices)
        }
    }

    /// Where bytes may be read or written, or must not.
    pub fn buffer(&mut self) -> usize {
        let buffers = self.world.buffers;
        match self.random.below(24) {
            0..=6 => buffers.scratch,
            7 | 14..24 => buffers.scratch + self.random.below(SCRATCH_BYTES),
            8 => buffers.scratch + SCRATCH_BYTES - self.random.below(64),
            9 => buffers.read_only,
            10 => self
                .random
                .pick(&[buffers.no_access, buffers.beyond_end, buffers.hole]),
            11 => self.sandbox_address(),
            // A tag in the byte that aarch64 can be told to ignore.
            12 => buffers.scratch | 0xff << 56,
            _ => self.foreign_address(),
        }
    }

    /// An address for calls about regions.
    pub fn address(&mut self) -> usize {
        match self.random.below(4) {
            0 => self.foreign_address(),
            _ => self.sandbox_address(),
        }
    }

    /// A buffer that nobody can read, or one for zero bytes.
    pub fn unreadable(&mut self) -> usize {
        let buffers = self.world.buffers;
        match self.random.below(4) {
            0 => self
                .random
                .pick(&[buffers.no_access, buffers.beyond_end, buffers.hole]),
            _ => self.foreign_address(),
        }
    }

    fn foreign_address(&mut self) -> usize {
        let end = self.world.user_end;
        match self.random.below(8) {
            0 => self
                .random
                .pick(&[end - PAGE, end - 1, end, end + 1, end + PAGE]),
            1 => self.random.next() as usize | 1 << 63,
            _ => self.random.pick(&FOREIGN),
        }
    }

    fn sandbox_address(&mut self) -> usize {
        let base = self.world.sandbox;
        let distance = self.offset();
        base.wrapping_add(distance)
    }

    /// A distance in a region or a VMO.
    pub fn offset(&mut self) -> usize {
        match self.random.below(8) {
            0..=4 => self.random.below(16) * PAGE,
            5 => self.random.below(SANDBOX_BYTES),
            6 => SANDBOX_BYTES / 2 + self.random.below(80) * PAGE,
            _ => self.length(),
        }
    }

    /// A length in bytes.
    pub fn length(&mut self) -> usize {
        match self.random.below(8) {
            0..=3 => self.random.below(10) * PAGE,
            4 => self.random.next() as usize >> self.random.below(64),
            _ => self.random.pick(&LENGTHS),
        }
    }

    /// A word of options: a few of `usual`, sometimes with others.
    pub fn options(&mut self, usual: &[u32]) -> u32 {
        let mut word = 0;
        for &bit in usual {
            if self.random.once_in(3) {
                word |= bit;
            }
        }
        match self.random.below(24) {
            0 => self.random.next() as u32,
            1 => word | 1 << self.random.below(32),
            2 => word | (self.random.below(40) as u32) << 24,
            _ => word,
        }
    }
}
