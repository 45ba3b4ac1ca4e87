/* SPDX-License-Identifier: MIT */
/* Where start.S finds the fields of struct vcpu_start; runtime.h asserts it. */
#ifndef CAPSULE_OFFSETS_H
#define CAPSULE_OFFSETS_H

#define VCPU_START_STACK  0
#define VCPU_START_THREAD 8
#define VCPU_START_SATP	  16

#endif
