/* SPDX-License-Identifier: MIT */
/* Control and status registers: names, numbers where the assembler lacks them, and fields. */
#ifndef CSR_H
#define CSR_H

/* Numbers of those that an assembler for rv64imac does not know (privileged specification, chapter 2). */
#define CSR_FCSR       0x003
#define CSR_STIMECMP   0x14d
#define CSR_SENVCFG    0x10a
#define CSR_VSSTATUS   0x200
#define CSR_VSIE       0x204
#define CSR_VSTVEC     0x205
#define CSR_VSSCRATCH  0x240
#define CSR_VSEPC      0x241
#define CSR_VSCAUSE    0x242
#define CSR_VSTVAL     0x243
#define CSR_VSIP       0x244
#define CSR_VSTIMECMP  0x24d
#define CSR_VSATP      0x280
#define CSR_MENVCFG    0x30a
#define CSR_MCOUNTINHIBIT 0x320
#define CSR_MTINST     0x34a
#define CSR_MTVAL2     0x34b
#define CSR_HSTATUS    0x600
#define CSR_HEDELEG    0x602
#define CSR_HIDELEG    0x603
#define CSR_HIE        0x604
#define CSR_HTIMEDELTA 0x605
#define CSR_HCOUNTEREN 0x606
#define CSR_HENVCFG    0x60a
#define CSR_HIP	       0x644
#define CSR_HVIP       0x645
#define CSR_HGATP      0x680
#define CSR_VLENB      0xc22

#define VTYPE_VILL   (1UL << 63)

#define MSTATUS_SIE  (1UL << 1)
#define MSTATUS_SPIE (1UL << 5)
#define MSTATUS_MPIE (1UL << 7)
#define MSTATUS_SPP  (1UL << 8)
#define MSTATUS_VS   (3UL << 9)
#define MSTATUS_MPP  (3UL << 11)
#define MSTATUS_MPP_S (1UL << 11)
#define MSTATUS_FS   (3UL << 13)
#define MSTATUS_MPRV (1UL << 17)
#define MSTATUS_SUM  (1UL << 18)
#define MSTATUS_MXR  (1UL << 19)
#define MSTATUS_TW   (1UL << 21)
#define MSTATUS_UXL  (3UL << 32)
#define MSTATUS_UXL_64 (2UL << 32)
#define MSTATUS_SXL_64 (2UL << 34)
#define MSTATUS_MPV  (1UL << 39)

/* mtinst of a guest-page fault that the walk of the guest's own page table met, on rv64 */
#define MTINST_TABLE_READ  0x3000
#define MTINST_TABLE_WRITE 0x3020

#define HSTATUS_VTW  (1UL << 21)
#define HSTATUS_VSXL_64 (2UL << 32)

#define ENVCFG_CBIE_FLUSH (1UL << 4)
#define ENVCFG_CBCFE (1UL << 6)
#define ENVCFG_CBZE  (1UL << 7)
#define ENVCFG_ADUE  (1UL << 61)
#define ENVCFG_PBMTE (1UL << 62)
#define ENVCFG_STCE  (1UL << 63)


/* Interrupt numbers and their bits in mip and mie. */
#define IRQ_S_SOFT  1
#define IRQ_VS_SOFT 2
#define IRQ_M_SOFT  3
#define IRQ_S_TIMER 5
#define IRQ_VS_TIMER 6
#define IRQ_M_TIMER 7
#define IRQ_S_EXT   9
#define IRQ_VS_EXT  10
#define IRQ_M_EXT   11
#define BIT(n)	    (1UL << (n))
#define S_INTERRUPTS (BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER) | BIT(IRQ_S_EXT))
#define M_INTERRUPTS (BIT(IRQ_M_SOFT) | BIT(IRQ_M_TIMER) | BIT(IRQ_M_EXT))
#define VS_INTERRUPTS (S_INTERRUPTS << 1)

/* Bits of mcounteren and its likes. */
#define COUNTER_CYCLE 1u
#define COUNTER_TIME 2u
#define COUNTER_INSTRET 4u
#define COUNTERS (COUNTER_CYCLE | COUNTER_TIME | COUNTER_INSTRET)

#define CAUSE_INTERRUPT (1UL << 63)
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS 1
#define CAUSE_ILLEGAL	   2
#define CAUSE_BREAKPOINT   3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_LOAD_ACCESS  5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_ECALL_U	   8
#define CAUSE_ECALL_S	   9
#define CAUSE_ECALL_VS	   10
#define CAUSE_FETCH_PAGE   12
#define CAUSE_LOAD_PAGE	   13
#define CAUSE_STORE_PAGE   15
#define CAUSE_FETCH_GUEST  20
#define CAUSE_LOAD_GUEST   21
#define CAUSE_VIRTUAL_INSTRUCTION 22
#define CAUSE_STORE_GUEST  23

#define PMP_R	(1u << 0)
#define PMP_W	(1u << 1)
#define PMP_X	(1u << 2)
#define PMP_TOR (1u << 3)
#define PMP_NAPOT (3u << 3)
#define PMP_L	(1u << 7)

#ifndef __ASSEMBLER__
#define csr_read(csr)                                                                              \
	({                                                                                         \
		unsigned long csr_value_;                                                          \
		__asm__ volatile("csrr %0, %1" : "=r"(csr_value_) : "i"(csr) : "memory");          \
		csr_value_;                                                                        \
	})
#define csr_write(csr, value)                                                                      \
	__asm__ volatile("csrw %0, %1" : : "i"(csr), "rK"((unsigned long)(value)) : "memory")
#define csr_set(csr, value)                                                                        \
	__asm__ volatile("csrs %0, %1" : : "i"(csr), "rK"((unsigned long)(value)) : "memory")
#define csr_clear(csr, value)                                                                      \
	__asm__ volatile("csrc %0, %1" : : "i"(csr), "rK"((unsigned long)(value)) : "memory")
#define csr_swap(csr, value)                                                                       \
	({                                                                                         \
		unsigned long csr_value_ = (unsigned long)(value);                                 \
		__asm__ volatile("csrrw %0, %1, %0" : "+r"(csr_value_) : "i"(csr) : "memory");     \
		csr_value_;                                                                        \
	})

#define CSR_SSTATUS    0x100
#define CSR_SIE	       0x104
#define CSR_STVEC      0x105
#define CSR_SCOUNTEREN 0x106
#define CSR_SSCRATCH   0x140
#define CSR_SEPC       0x141
#define CSR_SCAUSE     0x142
#define CSR_STVAL      0x143
#define CSR_SIP	       0x144
#define CSR_SATP       0x180
#define CSR_MSTATUS    0x300
#define CSR_MISA       0x301
#define CSR_MEDELEG    0x302
#define CSR_MIDELEG    0x303
#define CSR_MIE	       0x304
#define CSR_MTVEC      0x305
#define CSR_MCOUNTEREN 0x306
#define CSR_MSCRATCH   0x340
#define CSR_MEPC       0x341
#define CSR_MCAUSE     0x342
#define CSR_MTVAL      0x343
#define CSR_MIP	       0x344
#define CSR_PMPCFG0    0x3a0
#define CSR_PMPADDR0   0x3b0
#define CSR_MCYCLE     0xb00
#define CSR_MINSTRET   0xb02
#define CSR_MVENDORID  0xf11
#define CSR_MARCHID    0xf12
#define CSR_MIMPID     0xf13
#define CSR_MHARTID    0xf14
#define CSR_TIME       0xc01
#endif

#endif
