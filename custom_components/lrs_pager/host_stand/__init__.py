"""The host stand: what browsers are served and told.

frontend    serves the script that draws it (www/)
stand       what a host stand shows: who waits, who was paged
seating     what a host does there
websocket   the commands of the screens
export      the session log as a file for spreadsheets
"""
