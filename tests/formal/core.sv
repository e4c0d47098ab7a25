// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause
//
// What holds of the core in every clock, whatever the network: written into the core's own module, so that its signals
// have the names of accel/. A property is a labelled assertion. What starts with proof_ is the checker's own.

// Names that depend on the build ---------------------------------------------------------------------------------------

`ifdef REGISTERED
wire proof_rows        = synapsearray_word | synapsearray_rows_valid | synapsearray_taken;
wire proof_row_reads   = synapsearray_reads_soma | synapsearray_reads_apical;
wire proof_soma_read   = synapsearray_soma_bankedmemory_read_en;
wire proof_apical_read = synapsearray_apical_bankedmemory_read_en;
wire [$bits(synapsearray_soma_bankedmemory_read_adr)-1:0] proof_soma_adr =
    synapsearray_soma_bankedmemory_read_adr;
wire [$bits(synapsearray_apical_bankedmemory_read_adr)-1:0] proof_apical_adr =
    synapsearray_apical_bankedmemory_read_adr;
wire proof_soma_write   = synapsearray_soma_bankedmemory_write_en != 0;
wire proof_apical_write = synapsearray_apical_bankedmemory_write_en != 0;
wire [$bits(proof_soma_adr)-1:0]   proof_soma_write_adr   = synapsearray_soma_bankedmemory_write_adr;
wire [$bits(proof_apical_adr)-1:0] proof_apical_write_adr = synapsearray_apical_bankedmemory_write_adr;
wire proof_soma_bank    = (synapsearray_soma_read_banks != 0) == (proof_soma_read | ~busy);
wire proof_apical_bank  = (synapsearray_apical_read_banks != 0) == (proof_apical_read | ~busy);
wire proof_ahead        = eventlist_ahead && eventlist_index ==
    (eventlist_list_index + 1 == eventlist_list_count ? 0 : eventlist_list_index + 1);
`else
wire proof_rows        = synapsearray_word;
wire proof_row_reads   = synapsearray_sink_payload_soma | synapsearray_sink_payload_apical;
wire proof_soma_read   = synapsearray_soma_read_en;
wire proof_apical_read = synapsearray_apical_read_en;
wire [$bits(synapsearray_soma_read_adr)-1:0] proof_soma_adr = synapsearray_soma_read_adr;
wire [$bits(synapsearray_apical_read_adr)-1:0] proof_apical_adr = synapsearray_apical_read_adr;
wire proof_soma_write   = synapsearray_soma_write_en != 0;
wire proof_apical_write = synapsearray_apical_write_en != 0;
wire [$bits(proof_soma_adr)-1:0]   proof_soma_write_adr   = synapsearray_soma_write_adr;
wire [$bits(proof_apical_adr)-1:0] proof_apical_write_adr = synapsearray_apical_write_adr;
wire proof_soma_bank    = 1;
wire proof_apical_bank  = 1;
wire proof_ahead        = eventlist_read_adr[$bits(eventlist_list_index)-1:0] == eventlist_list_index;
`endif

// Environment ----------------------------------------------------------------------------------------------------------

// The network fits the build, and its size changes only while idle. All else is free: events (also of no source, or more
// than fit), stalls of the output, soft resets, and what software does at the memory port, which either writes or reads.
reg  proof_was_busy = 0;
reg  [$bits(neurons)-1:0] proof_neurons = 0;
always @(posedge sys_clk) begin
    proof_was_busy <= busy & ~reset_state;
    proof_neurons  <= neurons;
end
always @* begin
    assume (~sys_rst);
    assume (neurons >= 1 && neurons <= NEURONS);
    assume (~(memory_read & memory_write));
    if (proof_was_busy) assume (neurons == proof_neurons);
end

// From power-up on, or from the first soft reset on, in whatever state it comes.
reg proof_live = FROM_POWER_UP;
always @(posedge sys_clk) if (reset_state) proof_live <= 1;

// The clock before -----------------------------------------------------------------------------------------------------

reg proof_past = 0; // There was one, and it was no reset.
reg proof_reset = 0;
reg proof_ready, proof_stalled, proof_spike, proof_last, proof_sums_wait, proof_sums_last;
reg [$bits(source_neuron)-1:0] proof_neuron;
wire proof_step_in  = sink_valid & sink_ready & sink_last;
wire proof_step_out = source_valid & source_ready & source_last;
always @(posedge sys_clk) begin
    proof_past      <= proof_live & ~reset_state;
    proof_reset     <= reset_state;
    proof_ready     <= sink_ready & ~proof_step_in;
    proof_stalled   <= source_valid & ~source_ready;
    proof_neuron    <= source_neuron;
    proof_spike     <= source_spike;
    proof_last      <= source_last;
    proof_sums_wait <= synapsearray_source_valid & ~synapsearray_source_ready;
    proof_sums_last <= synapsearray_source_last;
end

// A beat that leaves the neurons.
wire proof_made = population_spikelist_output_sink_valid & population_ce;
wire proof_as_made = source_neuron == population_spikelist_output_sink_payload_neuron &&
    source_spike == population_spikelist_output_sink_payload_spike && source_last == population_spikelist_output_sink_last;

// Books ----------------------------------------------------------------------------------------------------------------

reg [3:0] proof_steps = 0;                       // Steps received, not yet through.
reg [1:0] proof_beats = 0;                       // Beats that left the neurons, not yet the core.
reg [$bits(source_neuron):0] proof_next = 0;     // Neuron whose update ends next.
reg [$bits(source_neuron):0] proof_lowest = 0;   // Neurons below were there in this step.
reg [$clog2(CLOCKS + 2)-1:0] proof_clocks = 0;   // With a step in work and no stall, since one began or ended.
always @(posedge sys_clk) begin
    proof_steps <= proof_steps + proof_step_in - proof_step_out;
    proof_beats <= proof_beats + proof_made - (source_valid & source_ready);
    if (proof_stage_valid[0] & population_ce) proof_next <= proof_stage_last[0] ? 0 : proof_next + 1;
    if (source_valid & source_ready) proof_lowest <= source_last ? 0 : source_neuron + 1;
    if (proof_step_out | ~busy)                                         proof_clocks <= 0;
    else if (proof_clocks <= CLOCKS && (~source_valid | source_ready)) proof_clocks <= proof_clocks + 1;
    if (reset_state) begin
        proof_steps  <= 0;
        proof_beats  <= 0;
        proof_next   <= 0;
        proof_lowest <= 0;
        proof_clocks <= 0;
    end
end

// Neurons in the pipeline, from its end on: stage 0 is the last one.
reg proof_in_order;
reg [$bits(source_neuron):0] proof_enters; // Neuron that enters it next.
integer n;
always @* begin
    proof_in_order = 1;
    proof_enters   = proof_next;
    for (n = 0; n < STAGES; n = n + 1) if (proof_stage_valid[n]) begin
        if (proof_stage_neuron[n*$bits(population_word) +: $bits(population_word)] != proof_enters ||
            proof_stage_last[n] != (proof_enters + 1 == neurons)) proof_in_order = 0;
        proof_enters = proof_enters + 1 == neurons ? 0 : proof_enters + 1;
    end
end

// Properties -----------------------------------------------------------------------------------------------------------

always @* if (proof_live) begin
    // Steps.
    steps_in_work_bounded: assert (proof_steps <= 4);
    busy_while_in_work:    assert (busy == (proof_steps != 0));
    ready_until_last:      assert (ready == sink_ready && (sink_ready || ~(proof_past & proof_ready)));
    no_last_out_too_many:  assert (~(source_valid & source_last) || proof_steps != 0);
    if (CLOCKS != 0) step_within_bound:     assert (proof_clocks <= CLOCKS);

    steps_add_up:          assert (proof_steps == eventlist_closed0 + eventlist_closed1 + !population_spikelist_listed +
                               (population_spikelist_output_valid & source_last));

    // Neurons.
    if (IN_ORDER) neurons_in_order: assert (proof_in_order && population_word == proof_enters &&
                               (~population_active || (population_step_last ? population_word + population_remaining == neurons
                                                     : population_word + population_remaining < neurons)));

    // Spikes.
    source_stable:         assert (~(proof_past & proof_stalled) || (source_valid && source_neuron == proof_neuron &&
                               source_spike == proof_spike && source_last == proof_last));
    // What was made waits as it was offered before, by `source_stable`.
    beats_leave_once:      assert (proof_beats <= 1 && source_valid == (proof_made || proof_beats != 0) &&
                               (~source_valid || proof_beats != 0 || proof_as_made));
    spikes_ascending:      assert (~source_valid || source_neuron >= proof_lowest);
    spikes_below_neurons:  assert (~source_valid || source_neuron < neurons);
    last_is_last_neuron:   assert (~(source_valid & source_last) || source_neuron + 1 == neurons);

    // Addresses of what the core itself reads and writes.
    soma_address:          assert (proof_soma_bank && (~(busy & proof_soma_read) || proof_soma_adr < SOMA_WORDS));
    apical_address:        assert (proof_apical_bank && (~(busy & proof_apical_read) || proof_apical_adr < APICAL_WORDS));
    parameters_address:    assert (~(busy & population_parameters_read_en) || population_parameters_read_adr < neurons);
    states_address:        assert (~(busy & population_states_read_en) || population_states_read_adr < neurons);
    states_write_address:  assert (~population_states_write_en || population_states_write_adr < neurons);

    no_read_while_written: assert (
        ~(proof_soma_read & proof_soma_write && proof_soma_adr == proof_soma_write_adr) &&
        ~(proof_apical_read & proof_apical_write && proof_apical_adr == proof_apical_write_adr) &&
        ~(population_parameters_read_en && population_parameters_write_en != 0 &&
            population_parameters_read_adr == population_parameters_write_adr) &&
        ~(population_states_read_en & population_states_write_en &&
            population_states_read_adr == population_states_write_adr) &&
        ~(population_spikelist_read_en & population_spikelist_write_en &&
            population_spikelist_read_adr == population_spikelist_write_adr) &&
        ~(eventlist_read_en & eventlist_write_en && eventlist_read_adr == eventlist_write_adr));

    // Lists and sums: no entry beyond the capacity, none read that was not written, none replaced before it was used.
    event_list_fits:       assert (eventlist_fill <= STEP_EVENTS && (~eventlist_write_en || eventlist_fill < STEP_EVENTS));
    event_list_read:       assert (~eventlist_list_read || (eventlist_list_index < eventlist_list_count && proof_ahead));
    event_list_release:    assert (~eventlist_list_release || eventlist_list_valid);
    spike_list_fits:       assert (population_spikelist_fill <= NEURONS && (~population_spikelist_write_en || population_spikelist_fill < NEURONS));
    spike_list_read:       assert (~population_spikelist_spikelist_list_read || population_spikelist_spikelist_list_index < population_spikelist_count);
    spike_list_kept:       assert (~population_spikelist_spikelist_step_done || ~population_spikelist_listed);
    sums_wait:             assert (~(proof_past & proof_sums_wait) ||
                               (synapsearray_source_valid && synapsearray_source_last == proof_sums_last));
    sums_taken:            assert (population_takes == (population_remaining == 0 ||
                               (population_remaining == 1 && population_ce)));

    // Idle, and the soft reset.
    idle_is_empty:         assert (busy || ~(eventlist_list_valid | walker_active | walker_s1_valid | walker_s2_valid |
                               proof_rows | proof_row_reads | synapsearray_source_valid | population_active |
                               (proof_stage_valid != 0) | source_valid | population_spikelist_output_valid));
    reset_is_idle:         assert (~proof_reset || (~busy && ready && ~source_valid && eventlist_fill == 0 &&
                               population_fresh && population_spikelist_spikelist_list_valid && population_spikelist_count == 0));
end
