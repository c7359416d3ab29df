"""The history as the recorder has it: the only room that touches the recorder.

`site_statistics` is its door: who has amounts writes them there, and asks there how far
each history has come. Imports `metering` and what is below it.
"""
