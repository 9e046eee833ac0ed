//! A program that does one thing that its argument names, for the kernel's own tests.
//!
//! | argument | what it does |
//! |---|---|
//! | `exit N` | ends with code `N` |
//! | `spin` | runs for ever and calls nobody |
//! | `sleep` | sleeps for ever |
//! | `write ADDRESS` | writes a byte to a hexadecimal address |
//! | `jump ADDRESS` | goes on at a hexadecimal address |
//! | `registers N` | sleeps now and then, and ends with 0 if its vector registers keep `N` meanwhile |

#![no_std]
#![no_main]

use programs::registers;
use zx::{MonotonicDuration, MonotonicInstant};

/// The code for arguments that mean nothing.
const NOT_UNDERSTOOD: i64 = 100;

rt::main!(main);

fn main() -> i64 {
    let mut words = rt::args();
    let (verb, number) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    match verb {
        "exit" => number.parse().unwrap_or(NOT_UNDERSTOOD),
        "spin" => loop {
            core::hint::spin_loop();
        },
        "sleep" => loop {
            MonotonicInstant::INFINITE.sleep();
        },
        "write" => address(number).map_or(NOT_UNDERSTOOD, write),
        "registers" => number.parse().map_or(NOT_UNDERSTOOD, keep_registers),
        "jump" => address(number).map_or(NOT_UNDERSTOOD, jump),
        _ => NOT_UNDERSTOOD,
    }
}

fn address(text: &str) -> Option<usize> {
    usize::from_str_radix(text, 16).ok()
}

/// The codes of `registers`: others have left something there, or have changed it.
const NOT_ZERO_AT_FIRST: i64 = 1;
const CHANGED: i64 = 2;

fn keep_registers(value: u64) -> i64 {
    if !registers::all_hold(0) {
        return NOT_ZERO_AT_FIRST;
    }
    registers::fill(value);
    for _ in 0..20 {
        MonotonicInstant::after(MonotonicDuration::from_millis(1)).sleep();
        if !registers::all_hold(value) {
            return CHANGED;
        }
    }
    0
}

fn write(address: usize) -> i64 {
    // SAFETY: whoever gave the address wants to see what becomes of a program that writes there.
    unsafe { (address as *mut u8).write_volatile(1) };
    0
}

fn jump(address: usize) -> i64 {
    // SAFETY: as in `write`; a number of the size of a pointer is one.
    let function = unsafe { core::mem::transmute::<usize, extern "C" fn()>(address) };
    function();
    0
}
