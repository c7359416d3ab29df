"""From the cloud to the present: who is asked what, when, and what a refusal means.

`reader` alone asks for series; the coordinators say when, and keep what came. Imports
`statistics` and what is below it.
"""
