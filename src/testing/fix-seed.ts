import fc from "fast-check";

// Loaded before each test file where PROPERTY_SEED is set: every property then draws the same cases again.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env["PROPERTY_SEED"]) });
