"""The host stand: what Home Assistant serves and sends to browsers.

frontend    serves the script that draws it (www/)
stand       what a host stand shows: who waits, who was paged
seating     clears the sessions of guests who were seated, unless that is undone
websocket   the commands of the screens
export      the session log as a file for spreadsheets
"""
