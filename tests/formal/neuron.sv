// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause
//
// The contract (accel/README.md) of one neuron, in numbers wide enough for whatever comes, beside the neuron pipeline.
// `differs` is low in every clock that has LATENCY clocks before it, from whatever state, if and only if the pipeline is
// right.

module proof (
    input sys_clk,
    input signed [ACCUMULATOR_BITS-1:0] any_soma, any_apical,
    input signed [WEIGHT_BITS-1:0] bias_soma, bias_apical,
    input [STATE_BITS-1:0] leak_soma, leak_apical, threshold, v_soma, v_apical,
    output differs
);
    // Sums of a step: of SUM_MAX/2**(WEIGHT_BITS - 1) weights at most, so that each of them is one of these.
    wire signed [ACCUMULATOR_BITS-1:0] soma   = any_soma   > SUM_MAX ? SUM_MAX : any_soma   < -SUM_MAX ? -SUM_MAX : any_soma;
    wire signed [ACCUMULATOR_BITS-1:0] apical = any_apical > SUM_MAX ? SUM_MAX : any_apical < -SUM_MAX ? -SUM_MAX : any_apical;

    // Of the loaded network: any, and the same throughout.
    (* anyconst *) reg [SHIFT_BITS-1:0] apical_shift, product_shift;

    wire [STATE_BITS-1:0] dut_v_soma, dut_v_apical;
    wire dut_spike;
    neuron dut (
        .sys_clk(sys_clk), .ce(1'b1), .apical_shift(apical_shift), .product_shift(product_shift),
        .inputs_soma(soma), .inputs_apical(apical), .inputs_bias_soma(bias_soma), .inputs_bias_apical(bias_apical),
        .inputs_leak_soma(leak_soma), .inputs_leak_apical(leak_apical), .inputs_threshold(threshold),
        .inputs_v_soma(v_soma), .inputs_v_apical(v_apical),
        .v_soma(dut_v_soma), .v_apical(dut_v_apical), .spike(dut_spike));

    // What went in LATENCY clocks ago.
    localparam BITS = 2*ACCUMULATOR_BITS + 2*WEIGHT_BITS + 5*STATE_BITS;
    reg [BITS*LATENCY-1:0] line;
    always @(posedge sys_clk)
        line <= {line, soma, apical, bias_soma, bias_apical, leak_soma, leak_apical, threshold, v_soma, v_apical};
    wire signed [ACCUMULATOR_BITS-1:0] x_soma, x_apical;
    wire signed [WEIGHT_BITS-1:0] b_soma, b_apical;
    wire [STATE_BITS-1:0] l_soma, l_apical, theta, before_s, before_a;
    assign {x_soma, x_apical, b_soma, b_apical, l_soma, l_apical, theta, before_s, before_a} = line[BITS*LATENCY-1 -: BITS];

    // The contract.
    localparam signed [39:0] V_MAX = 2**STATE_BITS - 1, I_MAX = 2**(CURRENT_BITS - 1) - 1, I_MIN = -I_MAX - 1;
    wire signed [39:0] sum_s  = x_soma + b_soma;
    wire signed [39:0] sum_a  = x_apical + b_apical;
    wire signed [39:0] part_a = sum_a >>> apical_shift;
    wire signed [CURRENT_BITS-1:0] i_s = sum_s  > I_MAX ? I_MAX : sum_s  < I_MIN ? I_MIN : sum_s;
    wire signed [CURRENT_BITS-1:0] i_a = part_a > I_MAX ? I_MAX : part_a < I_MIN ? I_MIN : part_a;
    wire signed [39:0] rest_a = before_a > l_apical ? before_a - l_apical : 0;
    wire signed [39:0] rest_s = before_s > l_soma   ? before_s - l_soma   : 0;
    wire signed [39:0] fed_a  = rest_a + i_a;
    wire signed [STATE_BITS:0] v_a = fed_a < 0 ? 0 : fed_a > V_MAX ? V_MAX : fed_a;
    wire signed [39:0] product = i_s*v_a;
    wire signed [39:0] fed_s  = rest_s + (product >>> product_shift);
    wire [STATE_BITS-1:0] v_s = fed_s < 0 ? 0 : fed_s > V_MAX ? V_MAX : fed_s;
    wire z = v_s >= theta;
    wire [STATE_BITS-1:0] after_s = z ? v_s - theta : v_s;

    assign differs = dut_v_apical != v_a[STATE_BITS-1:0] || dut_v_soma != after_s || dut_spike != z;
endmodule
